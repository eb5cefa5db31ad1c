// The form for taking documents in. Gradio gives `element`, `upload` and `trigger`. Files stay in the browser until
// 添加 is pressed; then each is sent on its own, and Python is told of all at once.
const form = element.querySelector("form");
const drop = form.querySelector(".z-drop");
const list = form.querySelector(".z-picked");
const button = form.querySelector("button[type=submit]");
const most = Number(form.dataset.max) * 1024 * 1024;
const known = new Set(form.dataset.known.split(" "));
const LONGEST = 2000; // files at once
let picked = []; // {file, name}
let skipped = 0; // files of folders that are no documents

const say = (text) => { form.querySelector(".z-said-status").textContent = text; };

const size = (bytes) => bytes < 1024 * 1024 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;

const draw = () => {
  list.hidden = !picked.length;
  list.replaceChildren(...picked.slice(0, 200).map((one) => {
    const row = document.createElement("li");
    const name = document.createElement("span");
    name.textContent = one.name;
    const how = document.createElement("small");
    how.textContent = size(one.file.size);
    const away = document.createElement("button");
    away.type = "button";
    away.textContent = "×";
    away.setAttribute("aria-label", `不添加 ${one.name}`);
    away.addEventListener("click", () => {
      picked = picked.filter((other) => other !== one);
      draw();
      (list.querySelector("button") ?? form.querySelector("input[type=file]")).focus();
    });
    row.append(name, how, away);
    return row;
  }));
  say(picked.length ? `已选 ${picked.length} 个文件，点“添加”开始。` : "");
};

// A file of a folder is taken only where its kind is known; one that was picked by itself always.
const take = (file, name, fromFolder) => {
  const bare = name.split("/").pop();
  if (fromFolder && (bare.startsWith(".") || bare.startsWith("~$"))) return;
  if (fromFolder && !known.has(bare.split(".").pop().toLowerCase())) { skipped += 1; return; }
  const twice = picked.some((one) => one.name === name && one.file.size === file.size && one.file.lastModified === file.lastModified);
  if (!twice && picked.length < LONGEST) picked.push({ file, name });
};

const walk = async (entry, above) => {
  if (entry.isFile) {
    const file = await new Promise((done) => entry.file(done, () => done(null)));
    if (file) take(file, above + entry.name, Boolean(above));
    return;
  }
  const reader = entry.createReader();
  for (;;) { // a reader gives at most a hundred at a time
    const some = await new Promise((done) => reader.readEntries(done, () => done([])));
    if (!some.length || picked.length >= LONGEST) return;
    for (const one of some) await walk(one, `${above}${entry.name}/`);
  }
};

form.addEventListener("change", (event) => {
  if (event.target.type !== "file") return;
  for (const file of event.target.files) take(file, file.webkitRelativePath || file.name, Boolean(file.webkitRelativePath));
  event.target.value = "";
  draw();
});

for (const kind of ["dragover", "dragleave", "drop"]) {
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.toggle("z-over", kind === "dragover");
  });
}
drop.addEventListener("drop", async (event) => {
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  for (const entry of entries) await walk(entry, "");
  draw();
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!picked.length) { say("请先选择要添加的文件。"); return; }
  button.disabled = true;
  const going = picked;
  const files = [];
  const left = [];
  for (const [number, { file, name }] of going.entries()) {
    if (going.length > 1) say(`正在传送 ${number + 1}/${going.length}……`);
    if (file.size > most) { left.push({ name, why: "size" }); continue; }
    try {
      files.push({ path: (await upload(file)).path, name });
    } catch {
      left.push({ name, why: "lost" });
    }
  }
  trigger("upload", { files, left, skipped, kind: new FormData(form).get("kind") });
  picked = [];
  skipped = 0;
  draw();
  button.disabled = false;
});
