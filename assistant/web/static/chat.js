// A [n] in an answer leads to the n-th source of that answer, also when another answer's sources are shown:
// Gradio selects the clicked answer, and the source is looked for until the panel shows it.
(() => {
  let seen = 0;

  const goTo = (id) => {
    const card = document.getElementById(id);
    if (!card || !card.offsetParent) return false;
    document.querySelectorAll(".z-here").forEach((other) => other.classList.remove("z-here"));
    card.classList.add("z-here");
    card.scrollIntoView({ block: "nearest" });
    card.focus({ preventScroll: true });
    return true;
  };

  // The card comes when the other tab has opened, or when Gradio has drawn the sources of the clicked answer.
  const seek = (id, until) => {
    if (!goTo(id) && performance.now() < until) requestAnimationFrame(() => seek(id, until));
  };

  const refresh = () => {
    const panel = document.querySelector("#z-sources .z-panel");
    const chosen = panel && panel.dataset.turn ? `answer-${panel.dataset.turn}` : "";
    document.querySelectorAll("#z-chat .bot-row").forEach((row) => {
      row.classList.toggle("z-selected", Boolean(chosen && row.querySelector(`#${chosen}`)));
    });
    const answers = document.querySelectorAll("#z-chat .z-answer");
    if (answers.length > seen) { // a long answer is read from its beginning
      const row = answers[answers.length - 1].closest(".message-row");
      (row.previousElementSibling ?? row).scrollIntoView({ block: "start" });
    }
    seen = answers.length;
    // Gradio reads the message's markup aloud, in English.
    document.querySelectorAll("#z-chat [data-testid=bot][aria-label], #z-chat [data-testid=user][aria-label]")
      .forEach((message) => message.removeAttribute("aria-label"));
    const log = document.querySelector("#z-chat [role=log]");
    if (log && log.getAttribute("aria-label") !== "对话") log.setAttribute("aria-label", "对话");
  };

  // A document that was picked is shown from its beginning; on a phone it stands below the list.
  const arrive = (preview) => {
    document.querySelector("#z-right")?.scrollTo({ top: 0 });
    preview.querySelector("h3").focus({ preventScroll: true });
    const top = preview.getBoundingClientRect().top;
    if (top > window.innerHeight * 0.6 || top < 0) document.querySelector("#z-right").scrollIntoView();
  };

  // A conversation lives in its page only: the knowledge base then opens beside it, and leads back to it.
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest(".z-head nav a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (link.hasAttribute("aria-current")) {
      event.preventDefault();
    } else if (document.querySelector("#z-chat .message")) {
      event.preventDefault();
      window.open(link.href, "zeming-knowledge");
    } else if (window.opener && !window.opener.closed) {
      event.preventDefault();
      window.opener.focus();
      window.close();
    }
  });

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
    seek(id, performance.now() + 5000);
  });

  const watch = () => {
    document.documentElement.lang = "zh-CN";
    let shown = "";
    let queued = false;
    new MutationObserver(() => {
      if (queued) return;
      queued = true;
      requestAnimationFrame(() => {
        queued = false;
        refresh();
        const preview = document.querySelector("#z-seen .z-preview");
        const now = preview ? preview.dataset.document : "";
        if (now && now !== shown) arrive(preview);
        shown = now;
      });
    }).observe(document.body, { childList: true, subtree: true });
  };
  // Gradio may put this script in after the document is read.
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", watch);
  else watch();
})();
