// From page to page. A conversation stays where it is: while there is one, other pages open beside it and lead back.
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element && event.target.closest("nav[aria-label=页面] a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (document.querySelector("#z-turns .z-turn") && !link.hasAttribute("aria-current")) {
    event.preventDefault();
    window.open(link.href, "zeming-pages");
  } else if (link.pathname === "/" && window.opener && !window.opener.closed) {
    event.preventDefault();
    window.opener.focus();
    window.close();
  }
});
