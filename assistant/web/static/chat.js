// The chat page. Python makes the HTML of answers; this shows it, and sends what people do as one act each:
// server.act({do: name, tab, …}) is answered with what to put where. Text of people is only ever set as text.
window.zemingChat = (root, server) => {
  const find = (selector) => root.querySelector(selector);
  const log = find("#z-log");
  const turns = find("#z-turns");
  const text = find("#z-text");
  const sheet = find("#z-sheet");
  const box = find("#z-box");
  const wide = window.matchMedia("(min-width: 1100px)");
  const tab = [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");
  const STAGES = { facts: "理解情况", search: "查找条款", judge: "判断", verify: "核对引用", model: "请大模型帮着读", wording: "请大模型帮着改措辞" };
  const MENUS = "#z-look[open], #z-days[open], .z-manage[open]"; // what opens above the page
  let kinds = {};
  let working = -1; // the turn that is being answered
  let asked = ""; // the name by which its answer can be stopped
  let turning = Promise.resolve(); // until another conversation is there
  let opener = null; // what had the focus before a dialog opened

  // ---------------------------------------------------------------- acts

  const act = async (what) => {
    try {
      const result = await server.act({ ...what, tab });
      if (result && typeof result === "object" && !("error" in result)) return result;
    } catch { /* told below, as what Gradio swallowed */ }
    return { notice: await whyNot() };
  };

  const whyNot = async () => {
    try {
      const answer = await fetch(location.pathname, { redirect: "manual", cache: "no-store" });
      if (answer.type === "opaqueredirect" || answer.status === 401) {
        return "登录已经过期。请先复制您写的内容，刷新页面重新登录。";
      }
      return "这一步没有做成，您写的内容还在。请再试一次；还不行就刷新页面。";
    } catch {
      return "没有连上责明程序，您写的内容还在。请确认它还开着，再试一次。";
    }
  };

  // An act on a card may wait for a language model; that is said where sentences are said.
  const patiently = async (what) => {
    let done = false;
    const result = act(what);
    result.finally(() => { done = true; });
    (async () => {
      await new Promise((go) => setTimeout(go, 700));
      while (!done) {
        const { stage } = await act({ do: "stage" });
        if (!done && (stage === "model" || stage === "wording")) notice(`${STAGES[stage]}……`);
        await new Promise((go) => setTimeout(go, 400));
      }
    })();
    return result;
  };

  const show = (result) => {
    if (result.clear) {
      turns.replaceChildren();
      find("#z-follow-line").hidden = true;
      closeSheet();
    }
    for (const { id, html } of result.put ?? []) put(id, html);
    find("#z-welcome").hidden = turns.childElementCount > 0;
    if (result.kinds) kinds = Object.fromEntries(result.kinds.map((kind) => [kind.name, kind]));
    if (result.links !== undefined) find("#z-nav").innerHTML = result.links;
    if (result.history !== undefined) find("#z-headings").innerHTML = result.history;
    if (result.off !== undefined) find("#z-quiet").checked = result.off;
    if (result.keeps === false) find("#z-history").classList.add("z-keeps-nothing");
    if (result.begun !== undefined) {
      find("#z-follow-line").hidden = !result.begun;
      find("#z-follow").checked = true;
    }
    if (result.sheet !== undefined) openSheet(result.sheet);
    if (result.save) save(result.save);
    if (result.thanked !== undefined) {
      turns.querySelectorAll(`#turn-${result.thanked} :is([data-do=right], [data-do=wrong])`)
        .forEach((button) => { button.disabled = true; });
    }
    if (result.focus !== undefined) arrive(result.focus, result.stay);
    notice(result.notice ?? "");
  };

  const put = (id, html) => {
    const made = document.createElement("template");
    made.innerHTML = html;
    const fresh = made.content.firstElementChild;
    const old = document.getElementById(id);
    if (old) {
      for (const part of old.querySelectorAll("details[open]")) { // what was unfolded stays so
        const same = fresh.querySelector(`details.${[...part.classList].at(-1)}`);
        if (same) same.open = true;
      }
      old.replaceWith(fresh);
    } else {
      turns.append(fresh);
    }
  };

  // An answer is read from its beginning; after a correction the verdict is shown again.
  const arrive = (index, stay) => {
    const turn = document.getElementById(`turn-${index}`);
    if (!turn) return;
    const verdict = turn.querySelector(".z-verdict");
    find("#z-said").textContent = verdict ? verdict.innerText.replace(/\s+/g, " ") : turn.innerText.slice(0, 80);
    const card = turn.querySelector(".z-reply-card");
    if (document.activeElement === document.body) card?.focus({ preventScroll: true }); // its button is gone
    if (stay) return;
    const last = index === turns.childElementCount - 1;
    const short = turn.firstElementChild.offsetHeight < log.clientHeight / 3; // the verdict is in sight below it
    (last && short ? turn : card)?.scrollIntoView({ block: "start" });
  };

  const notice = (sentence) => { find("#z-notice").textContent = sentence; };

  const save = ({ name, kind, content }) => {
    const bytes = Uint8Array.from(atob(content), (char) => char.charCodeAt(0));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([bytes], { type: kind }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  const copy = async (words, button) => {
    try {
      await navigator.clipboard.writeText(words);
    } catch { // a page without https may not use the clipboard
      const area = document.createElement("textarea");
      area.value = words;
      (button?.closest("dialog") ?? document.body).append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    find("#z-said").textContent = "已复制";
    if (button) {
      const before = button.textContent;
      button.textContent = "已复制";
      setTimeout(() => { button.textContent = before; }, 1500);
    }
  };

  // ---------------------------------------------------------------- asking

  const fields = () => {
    const form = find("#z-form");
    return { day: form.day.value, received: form.received.value, happened: form.happened.value };
  };

  const busy = (index) => {
    working = index;
    find("#z-send").hidden = index >= 0;
    find("#z-stop").hidden = index < 0;
  };

  const waiting = (index, said) => {
    const turn = document.createElement("section");
    turn.className = "z-turn z-waiting";
    turn.id = `turn-${index}`;
    const words = document.createElement("div");
    words.className = "z-said";
    words.textContent = said;
    const stage = document.createElement("p");
    stage.className = "z-now";
    stage.setAttribute("role", "status");
    stage.textContent = "理解情况……";
    turn.append(words, stage);
    return turn;
  };

  const ask = async (what, said) => {
    await turning;
    if (working >= 0) {
      if (what.do === "say") text.value = what.text;
      return;
    }
    const index = what.turn ?? turns.childElementCount;
    const old = document.getElementById(`turn-${index}`);
    const mine = waiting(index, said);
    old ? old.replaceWith(mine) : turns.append(mine);
    find("#z-welcome").hidden = true;
    notice("");
    busy(index);
    mine.scrollIntoView({ block: "start" });
    asked = crypto.getRandomValues(new Uint32Array(2)).join("-");
    const answer = act({ ...what, turn: index, ask: asked });
    let done = false;
    answer.finally(() => { done = true; });
    (async () => { // how far it is, while it takes long
      await new Promise((go) => setTimeout(go, 400));
      while (!done && mine.isConnected) {
        const { stage } = await act({ do: "stage" });
        if (done || !mine.isConnected) return;
        if (STAGES[stage]) mine.querySelector(".z-now").textContent = `${STAGES[stage]}……`;
        await new Promise((go) => setTimeout(go, 300));
      }
    })();
    const result = await answer;
    if (working === index) busy(-1);
    if (!result.put) { // nothing is lost: the words go back to where they were written
      if (document.getElementById(`turn-${index}`) === mine) old ? mine.replaceWith(old) : mine.remove();
      if (what.do === "say") {
        text.value = text.value ? `${what.text}\n${text.value}` : what.text;
        if (document.activeElement === document.body) text.focus();
      }
    }
    show(result);
    grow();
  };

  const say = () => {
    const said = text.value.trim();
    if (!said) {
      notice("请先写下情况或者问题，再点“发送”。");
      text.focus();
      return;
    }
    if (working >= 0) return;
    const what = { do: "say", text: said, follow: find("#z-follow").checked, ...fields() };
    text.value = "";
    grow();
    ask(what, said);
  };

  const stop = async () => {
    const index = working;
    if (index < 0) return;
    busy(-1);
    const stage = document.querySelector(`#turn-${index} .z-now`);
    if (stage) stage.textContent = "正在停止……";
    if (document.activeElement === document.body) text.focus();
    await act({ do: "stop", ask: asked });
  };

  const grow = () => {
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight + 2, window.innerHeight * 0.4)}px`;
  };

  // ---------------------------------------------------------------- the sheet and the boxes

  const openSheet = (html) => {
    if (!sheet.open) opener = document.activeElement;
    sheet.querySelector(".z-sheet-body").innerHTML = html;
    if (!sheet.open) wide.matches ? sheet.show() : sheet.showModal();
    root.querySelector(".z-app").classList.toggle("z-beside", wide.matches);
    sheet.scrollTop = 0;
    (sheet.querySelector("h2") ?? sheet).focus({ preventScroll: true });
    sheet.querySelector("mark")?.scrollIntoView({ block: "nearest" });
  };

  const closeSheet = () => {
    if (!sheet.open) return;
    sheet.close();
    root.querySelector(".z-app").classList.remove("z-beside");
    if (opener?.isConnected) opener.focus();
  };

  const tag = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "text") made.textContent = value;
      else if (value === true) made.setAttribute(key, "");
      else if (value !== false && value !== undefined) made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  };

  // A small question in the middle: resolves to the button that was pressed and what was filled in.
  const pose = (title, parts, buttons) => new Promise((answer) => {
    const before = document.activeElement;
    const form = box.querySelector("form");
    box.setAttribute("aria-label", title);
    const tools = tag("p", { class: "z-tools" });
    for (const [value, label, kind] of buttons) {
      const button = tag("button", { value, class: kind ?? "z-small", text: label, type: value ? "submit" : "button" });
      if (!value) button.addEventListener("click", () => box.close("")); // whatever is missing in the form
      tools.append(button);
    }
    form.replaceChildren(tag("h2", { text: title }), ...parts, tools);
    form.onkeydown = (event) => { // Enter means the last button, which does what the question asks
      if (event.key !== "Enter" || event.isComposing || !event.target.matches("input, select")) return;
      event.preventDefault();
      form.requestSubmit(tools.lastChild);
    };
    box.returnValue = "";
    box.showModal();
    (form.querySelector("input:checked") ?? form.querySelector("input, textarea, select") ?? tools.firstChild).focus();
    box.addEventListener("close", () => {
      const filled = new FormData(form);
      answer({ pressed: box.returnValue, filled });
      if (before?.isConnected) before.focus();
    }, { once: true });
  });

  const editFact = async (turn, name, values, words) => {
    const kind = kinds[name];
    if (!kind) return;
    const parts = [];
    if (kind.meaning) parts.push(tag("p", { class: "z-quiet", text: kind.meaning }));
    if (words) parts.push(tag("p", { class: "z-quiet" }, `读自您说的：“${words}”`));
    const list = tag("fieldset", { class: "z-values" }, tag("legend", { class: "z-hidden", text: kind.label }));
    const rows = kind.many ? kind.values : [...kind.values, ["unknown", "不清楚"]];
    for (const [value, label] of rows) {
      const input = tag("input", { type: kind.many ? "checkbox" : "radio", name: "value", value, checked: values.includes(value) });
      list.append(tag("label", {}, input, ` ${label}`));
    }
    parts.push(list);
    const { pressed, filled } = await pose(`${kind.label}应该是`, parts, [
      ["", "取消"], ["suppose", "只是假设"], ["set", "改正", "z-primary"],
    ]);
    let chosen = filled.getAll("value");
    if (kind.many && !chosen.length) chosen = ["unknown"];
    if (!pressed) return;
    if (!chosen.length) {
      notice("请先选这一项应该是什么。");
      return;
    }
    show(await patiently({ do: pressed, turn, fact: name, values: chosen }));
  };

  const addFact = async (turn) => {
    const taken = new Set([...document.querySelectorAll(`#turn-${turn} .z-chip[data-fact]`)].map((chip) => chip.dataset.fact));
    const select = tag("select", { name: "fact", "aria-label": "补哪一项事实" });
    for (const kind of Object.values(kinds)) {
      if (!taken.has(kind.name)) select.append(tag("option", { value: kind.name, text: kind.label }));
    }
    const { pressed, filled } = await pose("补哪一项事实", [select], [["", "取消"], ["next", "下一步", "z-primary"]]);
    if (pressed) await editFact(turn, filled.get("fact"), [], "");
  };

  const complain = async (turn) => {
    const parts = [
      tag("label", {}, "哪里不对", tag("textarea", { name: "reason", rows: 3, maxlength: 1000, required: true })),
      tag("label", {}, "您认为应该适用哪一条（可不填）", tag("input", { name: "clause", maxlength: 200, autocomplete: "off" })),
      tag("p", { class: "z-quiet", text: "管理员会看到您的意见和您问的内容；姓名、号码、住址会隐去。" }),
    ];
    const { pressed, filled } = await pose("这个答复不准确", parts, [["", "取消"], ["send", "提交", "z-primary"]]);
    if (!pressed) return;
    show(await act({ do: "feedback", turn, right: false, reason: filled.get("reason"), clause: filled.get("clause") }));
  };

  const prove = async (turn) => {
    const parts = [
      tag("p", { class: "z-quiet", text: "一个文件，写明这个答复依据什么、怎样得出来，日后可以用它重做一遍来核对。先照现在的规定重做，一样才写。" }),
      tag("label", { class: "z-check" }, tag("input", { type: "checkbox", name: "without" }), "不写原话和答复的文字，只留摘要"),
      tag("p", { class: "z-quiet", text: "写原话的，姓名照写，证件号、手机号等已经隐去，请保管好。" }),
    ];
    const { pressed, filled } = await pose("答复凭据", parts, [["", "取消"], ["send", "下载", "z-primary"]]);
    if (!pressed) return;
    notice("正在重做这个答复……");
    show(await act({ do: "receipt", turn, without: filled.has("without") }));
  };

  const rename = async (id, title) => {
    const input = tag("input", { name: "title", value: title, maxlength: 60, "aria-label": "对话名称", autocomplete: "off" });
    const { pressed, filled } = await pose("改名", [input], [["", "取消"], ["send", "保存", "z-primary"]]);
    if (pressed) show(await act({ do: "rename", id, title: filled.get("title") }));
  };

  const forget = async (what, title) => {
    const words = tag("p", { text: title ? `删除“${title}”？删除后找不回来。` : "删除全部对话记录？删除后找不回来。" });
    const { pressed } = await pose("删除", [words], [["", "不删"], ["go", "删除", "z-primary z-danger"]]);
    if (pressed) await turnTo({ do: "forget", ...what });
  };

  const shut = (menu) => {
    const inside = menu.contains(document.activeElement);
    menu.open = false;
    if (inside) menu.querySelector("summary").focus();
  };

  const turnTo = (what) => { // nothing is asked until it is there: turns are counted by what is shown
    turning = act(what).then(show);
    return turning;
  };

  const toggleHistory = (open) => {
    const app = root.querySelector(".z-app");
    const now = app.classList.toggle("z-history-open", open);
    find("#z-menu").setAttribute("aria-expanded", String(now));
    if (now) find("#z-search").focus();
  };

  // ---------------------------------------------------------------- what people do

  const sentenceOf = (button) => button.closest("li, p, td, dd, blockquote")?.textContent ?? "";

  const DEEDS = {
    menu: () => toggleHistory(),
    new: async () => { toggleHistory(false); clearDays(); text.focus(); await turnTo({ do: "new" }); },
    example: (button) => { text.value = button.dataset.text; say(); },
    stop,
    source: async (button) => {
      const turn = button.dataset.turn === undefined ? undefined : Number(button.dataset.turn);
      show(await act({ do: "source", id: button.dataset.id, turn, words: turn === undefined ? "" : sentenceOf(button) }));
    },
    close: closeSheet,
    fact: (button, turn) => editFact(turn, button.dataset.fact, JSON.parse(button.dataset.values), button.dataset.words),
    "add-fact": (button, turn) => addFact(turn),
    "more-facts": (button) => {
      const open = button.closest(".z-understood").classList.toggle("z-all");
      button.setAttribute("aria-expanded", String(open));
      button.dataset.closed ??= button.textContent;
      button.textContent = open ? "收起" : button.dataset.closed;
    },
    reply: async (button, turn) => {
      button.disabled = true;
      show(await patiently({ do: "set", turn, fact: button.dataset.fact, values: [button.dataset.value] }));
      button.disabled = false;
    },
    set: async (button, turn) => {
      closeSheet();
      show(await patiently({ do: "set", turn, fact: button.dataset.fact, values: JSON.parse(button.dataset.values) }));
    },
    retry: (button, turn) => ask({ do: "retry", turn }, document.querySelector(`#turn-${turn} .z-said`).innerText.replace(/^您说：\s*/, "")),
    calendar: async (button, turn) => show(await act({ do: "calendar", turn })),
    drafts: async (button, turn) => show(await act({ do: "drafts", turn })),
    draft: async (button, turn) => show(await act({ do: "draft", turn, kind: button.dataset.kind })),
    "copy-draft": (button) => copy(find("#z-draft-text").value, button),
    "copy-text": (button) => copy(button.dataset.text, button),
    copy: (button, turn) => {
      const card = document.querySelector(`#turn-${turn} .z-reply-card`).cloneNode(true);
      card.querySelectorAll(".z-tools, .z-asks, .z-dates, .z-chip-more, .z-chip-add, .z-understood-head").forEach((part) => part.remove());
      card.querySelectorAll("details").forEach((part) => { part.open = true; });
      card.style.cssText = "position:absolute;left:-9999px;width:600px";
      document.body.append(card);
      const words = card.innerText.replace(/\n{3,}/g, "\n\n").trim();
      card.remove();
      copy(words, button);
    },
    right: async (button, turn) => {
      button.disabled = true;
      const result = await act({ do: "feedback", turn, right: true });
      button.disabled = false;
      show(result);
    },
    wrong: (button, turn) => complain(turn),
    receipt: (button, turn) => prove(turn),
    open: async (button) => { toggleHistory(false); await turnTo({ do: "open", id: button.dataset.id }); },
    rename: (button) => rename(button.dataset.id, button.dataset.title),
    forget: (button) => forget({ id: button.dataset.id }, button.dataset.title),
    "forget-all": () => forget({ all: true }, ""),
    export: async (button) => show(await act({ do: "export", id: button.dataset.id, format: button.dataset.format })),
  };

  const FORMS = {
    say,
    list: async (form) => show(await act({ do: "list", words: form.words.value })),
    dates: async (form) => {
      const decided = {};
      for (const input of form.querySelectorAll("[name=decided]")) if (input.value) decided[input.dataset.id] = input.value;
      const result = await patiently({ do: "dates", turn: Number(form.dataset.turn), received: form.received.value, decided });
      if (result.put) find("#z-form").received.value = ""; // the newer day counts
      show(result);
    },
    docx: async (form) => show(await act({ do: "docx", text: form.text.value })),
  };

  const clearDays = () => {
    const form = find("#z-form");
    form.day.value = form.received.value = form.happened.value = "";
  };

  root.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-do]");
    const deed = button && DEEDS[button.dataset.do];
    if (!deed) return;
    event.preventDefault();
    deed(button, Number(button.dataset.turn));
  });
  root.addEventListener("submit", (event) => {
    const deed = FORMS[event.target.dataset.do];
    if (!deed) return;
    event.preventDefault();
    deed(event.target);
  });
  text.addEventListener("input", grow);
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    if (!wide.matches && window.matchMedia("(pointer: coarse)").matches) return; // phones have a key for a new line only
    event.preventDefault();
    say();
  });
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || box.open) return;
    if (sheet.open) closeSheet();
    else if (find(MENUS)) for (const menu of root.querySelectorAll(MENUS)) shut(menu);
    else toggleHistory(false);
  });
  sheet.addEventListener("cancel", (event) => { event.preventDefault(); closeSheet(); });
  sheet.addEventListener("click", (event) => { if (event.target === sheet && !wide.matches) closeSheet(); });
  document.addEventListener("click", (event) => {
    for (const menu of root.querySelectorAll(MENUS)) if (!menu.contains(event.target)) menu.open = false;
  });
  find("#z-quiet").addEventListener("change", async (event) => {
    const result = await act({ do: "quiet", on: event.target.checked });
    if (result.off === undefined) event.target.checked = !event.target.checked; // it was not done
    show(result);
  });
  act({ do: "hello" }).then((result) => {
    show(result);
    root.querySelector(".z-app").dataset.ready = "true";
  });
};
