// Shows the buttons of the guides in this notebook, and copies the value beside the one that is pressed.

const BACK = 2000; // milliseconds until a button says "Copy" again

async function copy(code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    return "Copied";
  } catch {
    window.getSelection().selectAllChildren(code);
    return document.execCommand("copy") ? "Copied" : "Selected: press Ctrl+C";
  }
}

function render({ el }) {
  el.hidden = true;
  const root = el.closest(".jp-Notebook") ?? document;
  const show = () => root.querySelectorAll(".scimops-guide button.copy[hidden]").forEach((one) => { one.hidden = false; });
  const pressed = async (event) => {
    const button = event.target.closest?.(".scimops-guide button.copy");
    if (!button) return;
    event.stopPropagation();
    button.textContent = await copy(button.closest(".paste").querySelector("code"));
    button.classList.add("done");
    setTimeout(() => { button.textContent = "Copy"; button.classList.remove("done"); }, BACK);
  };
  const watch = new MutationObserver(show);
  watch.observe(root, { childList: true, subtree: true });
  root.addEventListener("click", pressed, true);
  show();
  return () => { watch.disconnect(); root.removeEventListener("click", pressed, true); };
}

export default { render };
