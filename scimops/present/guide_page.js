// Puts the value beside a button on the clipboard. Without this script the values are text to be selected.
(() => {
  const said = document.getElementById("copied");

  function copyBySelection(code) {
    const range = document.createRange();
    range.selectNodeContents(code);
    const selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    return document.execCommand("copy");
  }

  async function copy(code) {
    try {
      await navigator.clipboard.writeText(code.textContent);
      return true;
    } catch {
      return copyBySelection(code);
    }
  }

  for (const button of document.querySelectorAll("button.copy")) {
    const word = button.textContent;
    let timer = 0;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const done = await copy(button.closest(".paste").querySelector("code"));
      button.textContent = done ? "Copied" : "Selected";
      button.classList.toggle("done", done);
      said.textContent = done ? "Copied." : "Selected: press Ctrl+C.";
      clearTimeout(timer);
      timer = setTimeout(() => {
        button.textContent = word;
        button.classList.remove("done");
        said.textContent = "";
      }, 2000);
    });
  }
})();
