// Shows what Python sends and tells Python what a person does. Nothing shown here is kept in the widget's state.

const PAUSE = 150; // milliseconds without a key until a live form is told

function valuesOf(form) {
  const values = {};
  for (const [key, value] of new FormData(form)) (values[key] ??= []).push(value);
  return values;
}

// Replaces a region, and gives the keyboard back to what had it if that is still there.
function replace(region, html) {
  const focused = region.contains(document.activeElement) ? document.activeElement : null;
  const key = focused && focused.dataset.focus;
  region.innerHTML = html;
  if (!focused) return;
  const again = key && region.querySelector(`[data-focus="${CSS.escape(key)}"]`);
  const next = again && !again.disabled ? again : region.querySelector("button:not([disabled]), input, select");
  if (next) next.focus({ preventScroll: true });
}

// Saves a file that Python offers: asks for piece after piece.
function receiver(model) {
  let file = null;
  const more = () => model.send({ kind: "piece", offset: file.received });
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(file.pieces));
    link.download = file.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    file = null;
  };
  return {
    offered(name, size) {
      file = { name, size, received: 0, pieces: [] };
      more();
    },
    piece(offset, bytes) {
      if (!file || offset !== file.received) return;
      file.pieces.push(bytes);
      file.received += bytes.byteLength;
      if (file.received >= file.size || !bytes.byteLength) save(); else more();
    },
  };
}

function listen(el, tell) {
  el.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-action]");
    if (button && button.type !== "submit") tell(button.dataset.action, { value: [button.value] });
  });
  el.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.target.dataset.action) tell(event.target.dataset.action, valuesOf(event.target));
  });
  let timer = 0;
  el.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-live]");
    if (!form) return;
    clearTimeout(timer);
    timer = setTimeout(() => tell(form.dataset.action, valuesOf(form)), event.target.matches("select") ? 0 : PAUSE);
  });
}

// Keys that a person types in the panel are not JupyterLab's commands (there `d` `d` would delete the cell).
function shield(el, tries = 50) {
  const panel = el.closest(".scimops-panel");
  if (!panel) {
    if (tries) setTimeout(() => shield(el, tries - 1), 100);
    return;
  }
  if (panel.dataset.shielded) return;
  panel.dataset.shielded = "yes";
  panel.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });
}

function render({ model, el }) {
  el.classList.add("scimops-screen");
  const download = receiver(model);
  let shown = false;
  model.on("msg:custom", (message, buffers) => {
    if (message.kind === "all") {
      el.innerHTML = message.frame;
      shown = true;
    }
    if (message.kind === "all" || message.kind === "regions") {
      if (!shown) return;
      for (const [name, html] of Object.entries(message.regions)) {
        const region = el.querySelector(`[data-region="${name}"]`);
        if (region) replace(region, html);
      }
    } else if (message.kind === "file") {
      download.offered(message.name, message.size);
    } else if (message.kind === "piece") {
      download.piece(message.offset, buffers[0]);
    }
  });
  listen(el, (action, values) => model.send({ kind: "action", action, values }));
  shield(el);
  model.send({ kind: "ready" });
  // A notebook that is opened without its kernel has no answer to give, because nothing was saved in it.
  setTimeout(() => { if (!shown) el.textContent = "Run this cell to see the panel."; }, 10000);
}

export default { render };
