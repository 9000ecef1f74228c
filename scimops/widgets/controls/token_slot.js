// Puts a token on the clipboard by a click. It is never in the page: the kernel sends it for that click alone.

const PATIENCE = 4000; // milliseconds until we say that the kernel does not answer
const WORDS = {
  empty: "",
  waiting: "The token is shown to nobody. Copy it now and paste it into the identity provider.",
  copied: "Copied. Paste it into the identity provider; it can be copied again for ten minutes.",
  forgotten: "The token is no longer here. If it was not pasted, renew it: the old one then ends.",
};

function made(name, className, text) {
  const node = document.createElement(name);
  node.className = className;
  if (text) node.textContent = text;
  return node;
}

// Where the page has no clipboard (http from another machine) a selection can still be copied.
function copyBySelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.setAttribute("readonly", "");
  area.style.cssText = "position:fixed;opacity:0";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("not copied");
}

async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text);
  }
}

function render({ model, el }) {
  const slot = made("div", "scimops-token");
  const copy = made("button", "scimops-token-copy", "Copy the token");
  const forget = made("button", "scimops-token-forget", "I have pasted it: forget it");
  const status = made("p", "scimops-token-status");
  for (const button of [copy, forget]) button.type = "button";
  status.setAttribute("role", "status");
  slot.append(copy, forget, status);
  el.replaceChildren(slot);

  let timer = 0;
  const show = () => {
    const state = model.get("state");
    slot.dataset.state = state;
    slot.hidden = state === "empty";
    copy.hidden = state === "forgotten";
    copy.textContent = state === "copied" ? "Copy it again" : "Copy the token";
    forget.hidden = state !== "copied";
    status.textContent = WORDS[state];
  };
  const heard = async (message) => {
    if (message.kind !== "token") return;
    clearTimeout(timer);
    try {
      await toClipboard(message.text);
      model.send({ kind: "copied" });
    } catch {
      status.textContent = "This browser does not let the page copy. Store the token in the keyring or a file instead.";
    }
  };
  const leave = (event) => {
    if (model.get("state") !== "waiting") return;
    event.preventDefault();
    event.returnValue = "The token was not copied yet.";
  };
  copy.addEventListener("click", () => {
    status.textContent = "Asking the kernel…";
    timer = setTimeout(() => { status.textContent = "Waiting for the kernel. Is a cell still running?"; }, PATIENCE);
    model.send({ kind: "copy" });
  });
  forget.addEventListener("click", () => model.send({ kind: "forget" }));
  model.on("change:state", show);
  model.on("msg:custom", heard);
  window.addEventListener("beforeunload", leave);
  show();
  return () => {
    window.removeEventListener("beforeunload", leave);
    model.off("change:state", show);
    model.off("msg:custom", heard);
  };
}

export default { render };
