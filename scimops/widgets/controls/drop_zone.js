// A place to drop a file on, or to choose one with. The bytes go to Python piece by piece, each answered before the
// next is sent, as messages: they never become a part of the widget's state.

const PATIENCE = 3000; // milliseconds until we say that the kernel does not answer

function made(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function size(bytes) {
  const units = ["bytes", "KB", "MB", "GB"];
  let power = 0;
  while (bytes >= 1000 && power < units.length - 1) { bytes /= 1000; power += 1; }
  return `${power && bytes < 100 ? bytes.toFixed(1) : Math.round(bytes)} ${units[power]}`;
}

function icon() {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", "M12 16V4m0 0L7 9m5-5l5 5M4 15v3a2 2 0 002 2h12a2 2 0 002-2v-3");
  svg.append(path);
  return svg;
}

function build(model, el) {
  const zone = made("div", "scimops-drop");
  const button = made("button", "scimops-drop-button");
  button.type = "button";
  const words = made("span", "scimops-drop-words");
  words.append(made("strong", "", model.get("label")), made("span", "scimops-drop-hint", model.get("hint")));
  button.append(icon(), words);
  button.setAttribute("aria-label", `${model.get("label")}. ${model.get("hint")}`);
  const input = made("input", "scimops-drop-input");
  Object.assign(input, { type: "file", multiple: true, accept: model.get("accept"), tabIndex: -1 });
  input.setAttribute("aria-label", model.get("label"));
  const progress = made("div", "scimops-drop-progress");
  const bar = made("progress");
  bar.max = 1;
  bar.setAttribute("aria-label", "How much has arrived");
  const cancel = made("button", "scimops-drop-cancel", "Cancel");
  cancel.type = "button";
  progress.append(bar, cancel);
  progress.hidden = true;
  const status = made("div", "scimops-drop-status");
  status.setAttribute("role", "status");
  status.setAttribute("aria-live", "polite");
  zone.append(button, input, progress, status);
  el.replaceChildren(zone);
  return { zone, button, input, progress, bar, cancel, status };
}

// Sends messages one by one; each resolves when Python has answered it.
function correspondent(model, say) {
  let waiting = null;
  let number = 0;
  model.on("msg:custom", (message) => {
    if (message.kind !== "answer" || !waiting) return;
    if (message.number !== waiting.number || message.upload !== waiting.upload) return;
    const { resolve, reject, timer } = waiting;
    waiting = null;
    clearTimeout(timer);
    if (message.problem) reject(new Error(message.problem)); else resolve();
  });
  return (content, buffers) => new Promise((resolve, reject) => {
    number += 1;
    if (waiting) clearTimeout(waiting.timer); // of an upload that was cancelled
    const timer = setTimeout(() => say("Waiting for the kernel. Is a cell still running?"), PATIENCE);
    waiting = { number, upload: content.upload, resolve, reject, timer };
    model.send({ ...content, number }, undefined, buffers);
  });
}

async function send(ask, upload, files, chunk, moved) {
  const total = files.reduce((sum, file) => sum + file.size, 0);
  let done = 0;
  await ask({ kind: "start", upload, size: total });
  for (const file of files) {
    await ask({ kind: "file", upload, name: file.name, size: file.size, modified: file.lastModified / 1000 });
    for (let offset = 0; offset < file.size; offset += chunk) {
      let bytes;
      try {
        bytes = await file.slice(offset, offset + chunk).arrayBuffer();
      } catch {
        throw new Error(`${file.name} cannot be read. Is it a folder, or did it change?`);
      }
      if (!moved(done, total)) return false;
      await ask({ kind: "chunk", upload, offset }, [bytes]);
      done += bytes.byteLength;
    }
  }
  if (!moved(done, total)) return false;
  await ask({ kind: "end", upload });
  return true;
}

function render({ model, el }) {
  const { zone, button, input, progress, bar, cancel, status } = build(model, el);
  const say = (text, wrong = false) => {
    status.textContent = text;
    zone.classList.toggle("scimops-drop-wrong", wrong);
  };
  const ask = correspondent(model, say);
  let current = "";
  model.on("msg:custom", (message) => { if (message.kind === "say" && !current) say(message.words, message.wrong); });

  const stop = () => {
    current = "";
    progress.hidden = true;
    input.value = "";
  };
  const take = async (files) => {
    if (!files.length) return;
    const names = files.map((file) => file.name).join(", ");
    const total = files.reduce((sum, file) => sum + file.size, 0);
    if (total > model.get("limit")) {
      say(`${names} (${size(total)}) is larger than the ${size(model.get("limit"))} that can be dropped here. `
        + "Give its path instead: then nothing is copied.", true);
      return;
    }
    const upload = `${Date.now()}-${Math.random()}`;
    current = upload;
    progress.hidden = false;
    bar.value = 0;
    const moved = (done) => {
      if (current !== upload) return false;
      bar.value = total ? done / total : 1;
      say(`${names}: ${size(done)} of ${size(total)}`);
      return true;
    };
    try {
      if (await send(ask, upload, files, model.get("chunk"), moved)) {
        stop();
        say(`${names} (${size(total)})`);
      }
    } catch (error) {
      if (current !== upload) return;
      stop();
      say(error.message, true);
    }
  };

  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => take([...input.files]));
  cancel.addEventListener("click", () => {
    model.send({ kind: "cancel", upload: current });
    stop();
    say("Cancelled. Nothing was kept.");
    button.focus();
  });
  // Over the whole zone the browser's own way with files (to open them) is off, and JupyterLab's (to attach them).
  let depth = 0;
  const over = (change) => {
    depth = Math.max(0, depth + change);
    zone.classList.toggle("scimops-drop-over", depth > 0);
  };
  const handle = (name, act) => zone.addEventListener(name, (event) => {
    event.preventDefault();
    event.stopPropagation();
    act(event);
  });
  handle("dragenter", () => over(1));
  handle("dragleave", () => over(-1));
  handle("dragover", (event) => { event.dataTransfer.dropEffect = "copy"; });
  handle("drop", (event) => {
    over(-depth);
    if (event.dataTransfer.files.length) take([...event.dataTransfer.files]);
    else say("That was no file.", true);
  });
}

export default { render };
