(() => {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);
  for (const title of document.querySelectorAll("svg title")) {
    title.parentNode.tip = title.textContent;
    title.remove();
  }
  document.addEventListener("pointermove", (event) => {
    const text = event.target.tip;
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text.split("; ").join("\n");
    const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
    const above = event.clientY + tip.offsetHeight + 24 > innerHeight;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${event.clientY + (above ? -tip.offsetHeight - 10 : 16)}px`;
  });
})();
