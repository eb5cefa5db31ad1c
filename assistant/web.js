// A [n] in an answer leads to the n-th source of that answer, also when another answer's sources are shown:
// Gradio selects the clicked answer, and the source is marked as soon as the panel shows it.
(() => {
  let wanted = "";

  const goTo = (id) => {
    const card = document.getElementById(id);
    if (!card) return false;
    document.querySelectorAll(".z-here").forEach((other) => other.classList.remove("z-here"));
    card.classList.add("z-here");
    card.scrollIntoView({ block: "nearest" });
    card.focus({ preventScroll: true });
    return true;
  };

  const refresh = () => {
    if (wanted && goTo(wanted)) wanted = "";
    const panel = document.querySelector("#z-sources .z-panel");
    const chosen = panel && panel.dataset.turn ? `answer-${panel.dataset.turn}` : "";
    document.querySelectorAll("#z-chat .bot-row").forEach((row) => {
      row.classList.toggle("z-selected", Boolean(chosen && row.querySelector(`#${chosen}`)));
    });
    // Gradio reads the message's markup aloud, in English.
    document.querySelectorAll("#z-chat [data-testid=bot][aria-label], #z-chat [data-testid=user][aria-label]")
      .forEach((message) => message.removeAttribute("aria-label"));
    const log = document.querySelector("#z-chat [role=log]");
    if (log && log.getAttribute("aria-label") !== "对话") log.setAttribute("aria-label", "对话");
  };

  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest("a.z-cite, a.z-back");
    if (!link) return;
    event.preventDefault();
    const id = link.getAttribute("href").slice(1);
    if (link.classList.contains("z-back")) {
      const answer = document.getElementById(id);
      if (!answer) return;
      answer.tabIndex = -1;
      answer.scrollIntoView({ block: "nearest" });
      answer.focus({ preventScroll: true });
      return;
    }
    document.querySelector("#z-right [role=tab]")?.click(); // the sources may be behind the other tab
    if (!goTo(id)) wanted = id;
  });

  const watch = () => {
    document.documentElement.lang = "zh-CN";
    let queued = false;
    new MutationObserver(() => {
      if (queued) return;
      queued = true;
      requestAnimationFrame(() => { queued = false; refresh(); });
    }).observe(document.body, { childList: true, subtree: true });
  };
  // Gradio may put this script in after the document is read.
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", watch);
  else watch();
})();
