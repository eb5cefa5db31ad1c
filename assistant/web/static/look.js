// How the pages look, on every page: size of letters, light or dark, simplified or traditional characters.
// The choices are kept in this browser; nothing else is.
(() => {
  const CHOICES = { size: ["normal", "large", "larger"], theme: ["auto", "light", "dark"], script: ["hans", "hant"] };
  const read = (name) => {
    try {
      const kept = localStorage.getItem(`zeming-${name}`);
      return CHOICES[name].includes(kept) ? kept : CHOICES[name][0];
    } catch {
      return CHOICES[name][0];
    }
  };
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;

  const apply = () => {
    root.lang = read("script") === "hant" ? "zh-Hant" : "zh-CN";
    root.dataset.size = read("size");
    const isDark = read("theme") === "dark" || (read("theme") === "auto" && dark.matches);
    root.classList.toggle("dark", isDark);
    document.body?.classList.toggle("dark", isDark); // Gradio looks there
    root.style.colorScheme = isDark ? "dark" : "light";
  };

  const choose = (name, value) => {
    if (!CHOICES[name]?.includes(value)) return;
    try {
      localStorage.setItem(`zeming-${name}`, value);
    } catch { /* a browser that keeps nothing */ }
    apply();
    if (name === "script") value === "hant" ? convert(document.body) : restore();
  };

  // ---------------------------------------------------------------- traditional characters
  // Only what is shown is converted: never what people type, nor what the page sends back.
  const plain = new Map(); // text node or element -> what stood there
  const known = new Map(); // simplified -> traditional
  const ATTRIBUTES = ["aria-label", "title", "placeholder"];
  const CHINESE = /[\u4e00-\u9fff]/;
  const spared = (node) => node.parentElement?.closest("script, style, textarea, [data-keep]");

  const found = (top) => {
    const texts = [];
    const walker = document.createTreeWalker(top, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    for (let node = top; node; node = walker.nextNode()) {
      if (node.nodeType === Node.TEXT_NODE) {
        if (CHINESE.test(node.data) && !spared(node) && known.get(plain.get(node)) !== node.data) {
          texts.push([node, "", node.data]);
        }
      } else if (node.nodeType === Node.ELEMENT_NODE) {
        for (const name of ATTRIBUTES) {
          const value = node.getAttribute(name);
          if (value && CHINESE.test(value) && known.get(plain.get(node)?.[name]) !== value) texts.push([node, name, value]);
        }
      }
    }
    return texts;
  };

  const convert = async (top) => {
    const texts = found(top);
    const missing = [...new Set(texts.map(([, , text]) => text))].filter((text) => !known.has(text));
    for (let at = 0; at < missing.length; at += 200) {
      const some = missing.slice(at, at + 200);
      try {
        const answer = await fetch("/traditional", {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ texts: some }),
        });
        if (!answer.ok) return;
        (await answer.json()).texts.forEach((text, index) => known.set(some[index], text));
      } catch {
        return;
      }
    }
    if (read("script") !== "hant") return;
    for (const [node, name, text] of texts) {
      const other = known.get(text);
      if (other === undefined) continue;
      if (name) {
        if (node.getAttribute(name) !== text) continue;
        plain.set(node, { ...plain.get(node), [name]: text });
        node.setAttribute(name, other);
      } else if (node.data === text) {
        plain.set(node, text);
        node.data = other;
      }
    }
  };

  const restore = () => {
    for (const [node, before] of plain) {
      if (typeof before === "string") node.data = before;
      else for (const [name, value] of Object.entries(before)) node.setAttribute(name, value);
    }
    plain.clear();
  };

  const watch = () => {
    apply();
    let queued = false;
    new MutationObserver(() => {
      if (queued || read("script") !== "hant") return;
      queued = true;
      requestAnimationFrame(() => {
        queued = false;
        for (const node of plain.keys()) if (!node.isConnected) plain.delete(node);
        convert(document.body);
      });
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
    if (read("script") === "hant") convert(document.body);
  };

  // ---------------------------------------------------------------- the menu of these choices, #z-look

  document.addEventListener("toggle", (event) => {
    if (event.target.id !== "z-look" || !event.target.open) return;
    for (const input of event.target.querySelectorAll("input")) input.checked = read(input.name) === input.value;
  }, true);
  document.addEventListener("change", (event) => {
    if (event.target.closest?.("#z-look")) choose(event.target.name, event.target.value);
  });
  const close = (event) => {
    const menu = document.querySelector("#z-look[open]");
    if (!menu || (event.type === "click" ? menu.contains(event.target) : event.key !== "Escape")) return;
    menu.open = false;
    if (event.type === "keydown") menu.querySelector("summary").focus();
  };
  document.addEventListener("click", close);
  document.addEventListener("keydown", close);

  // ---------------------------------------------------------------- on paper nothing is folded

  let unfolded = [];
  window.addEventListener("beforeprint", () => {
    unfolded = [...document.querySelectorAll(".z-part:not([open]), .z-how:not([open])")];
    unfolded.forEach((part) => { part.open = true; });
  });
  window.addEventListener("afterprint", () => unfolded.forEach((part) => { part.open = false; }));

  dark.addEventListener("change", apply);
  apply();
  window.zemingLook = { read, choose };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", watch);
  else watch();
})();
