// Looks at the page as it is now and gives the list of what breaks a rule: names, structure, contrast, size of targets.
() => {
  const found = [];
  const brief = (node) => node.outerHTML.replace(/\s+/g, " ").slice(0, 90);
  const isSeen = (node) => {
    const box = node.getBoundingClientRect();
    return box.width > 1 && box.height > 1 && node.checkVisibility({ visibilityProperty: true });
  };
  const all = (selector) => [...document.querySelectorAll(selector)].filter(isSeen);

  // ---- names
  const byIds = (ids) => ids.split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
  const nameOf = (node) =>
    node.getAttribute("aria-label") ||
    (node.getAttribute("aria-labelledby") && byIds(node.getAttribute("aria-labelledby"))) ||
    (node.labels && [...node.labels].map((label) => label.textContent).join(" ")) ||
    node.textContent;
  for (const node of all("a[href], button, summary, textarea, input, nav, section, [role=log], [role=group]")) {
    if (!nameOf(node).trim()) found.push(`no name: ${brief(node)}`);
  }
  for (const node of document.querySelectorAll("img:not([alt])")) found.push(`no alt: ${brief(node)}`);

  // ---- structure
  if (!document.documentElement.lang) found.push("no language");
  if (document.querySelectorAll("main").length !== 1) found.push("not one main");
  if (document.querySelectorAll("h1").length !== 1) found.push("not one h1");
  if (!document.title.trim()) found.push("no title");
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push(`id twice: ${id}`);
  for (const node of document.querySelectorAll("li")) {
    if (!node.parentElement.matches("ul, ol")) found.push(`li without a list: ${brief(node)}`);
  }
  for (const node of document.querySelectorAll("[tabindex]")) if (node.tabIndex > 0) found.push(`tabindex: ${brief(node)}`);
  let level = 0;
  for (const node of all("h1, h2, h3, h4")) {
    const own = Number(node.tagName[1]);
    if (own > level + 1 && level) found.push(`heading skips a level: ${brief(node)}`);
    level = own;
  }

  // ---- contrast
  const parse = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const isClear = (color) => parse(color).length === 4 && parse(color)[3] === 0;
  const groundOf = (node) => {
    for (let each = node; each; each = each.parentElement) {
      const color = getComputedStyle(each).backgroundColor;
      if (!isClear(color)) return parse(color);
    }
    return [255, 255, 255];
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, two) => {
    const [low, high] = [light(one), light(two)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  for (const node of all("body *")) {
    const hasText = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!hasText) continue;
    const style = getComputedStyle(node);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const value = ratio(parse(style.color), groundOf(node));
    if (value < (isLarge ? 3 : 4.5)) found.push(`contrast ${value.toFixed(2)}: ${brief(node)}`);
    if (size < 12) found.push(`type of ${size}px: ${brief(node)}`);
  }
  for (const node of all("textarea")) {
    const color = getComputedStyle(node, "::placeholder").color;
    const value = ratio(parse(color), groundOf(node));
    if (value < 4.5) found.push(`contrast of the placeholder ${value.toFixed(2)}`);
  }

  // ---- targets, and the edges of the screen
  for (const node of all("a[href], button, summary, textarea")) {
    const box = node.getBoundingClientRect();
    const isInSentence = node.matches("p a, li a, .bubble a") && getComputedStyle(node).display === "inline";
    if (!isInSentence && Math.min(box.width, box.height) < 24) found.push(`target too small: ${brief(node)}`);
  }
  for (const node of all("body *")) {
    // A row of suggestions scrolls in itself.
    if (node.closest(".tries")) continue;
    const box = node.getBoundingClientRect();
    if (box.right > window.innerWidth + 1 || box.left < -1) found.push(`beyond the edge: ${brief(node)}`);
  }
  if (document.documentElement.scrollWidth > window.innerWidth) found.push("scrolls sideways");
  return found;
}
