// A document that was picked is shown from its beginning; on a phone it stands below the list. Gradio gives `element`.
let shown = "";

const arrive = (title, until) => { // the tab that it is in may still be opening
  if (!title.isConnected || performance.now() > until) return;
  if (!title.offsetParent) {
    requestAnimationFrame(() => arrive(title, until));
    return;
  }
  const right = document.querySelector("#z-right");
  right.scrollTo({ top: 0 });
  title.focus({ preventScroll: true });
  const { top } = title.getBoundingClientRect();
  if (top > window.innerHeight * 0.6 || top < 0) right.scrollIntoView();
};

new MutationObserver(() => {
  const preview = element.querySelector(".z-preview");
  const now = preview?.dataset.document ?? "";
  if (now && now !== shown) arrive(preview.querySelector(".z-preview-title"), performance.now() + 3000);
  shown = now;
}).observe(element, { childList: true, subtree: true });
