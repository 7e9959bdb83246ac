(() => {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.setAttribute("role", "status");
  tip.hidden = true;
  document.body.append(tip);
  for (const title of document.querySelectorAll("svg title")) {
    title.parentNode.tip = title.textContent;
    title.remove();
  }
  const show = (text, x, y) => {
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text.split("; ").join("\n");
    const left = Math.min(x + 14, innerWidth - tip.offsetWidth - 8);
    const above = y + tip.offsetHeight + 24 > innerHeight;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${y + (above ? -tip.offsetHeight - 10 : 16)}px`;
  };
  document.addEventListener("pointermove", (event) => {
    show(event.target.tip, event.clientX, event.clientY);
  });
  // With the keyboard: the arrow keys go from mark to mark of the chart that has the focus.
  for (const chart of document.querySelectorAll("svg[tabindex]")) {
    const marks = [...chart.querySelectorAll("*")].filter((mark) => mark.tip);
    let at = -1;
    chart.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") show();
      if (!step || !marks.length) return;
      event.preventDefault();
      at = Math.min(marks.length - 1, Math.max(0, at + step));
      const box = marks[at].getBoundingClientRect();
      show(marks[at].tip, box.left + box.width / 2, box.top + box.height / 2);
    });
    chart.addEventListener("blur", () => show());
  }
  // On paper nothing can be unfolded, so tables are printed open.
  const folded = [];
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details.table:not([open])")) {
      details.open = true;
      folded.push(details);
    }
  });
  addEventListener("afterprint", () => {
    for (const details of folded.splice(0)) details.open = false;
  });
})();
