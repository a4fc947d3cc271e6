// The other theme without changing the system's: what the style sheets say for it holds at once.
(() => {
  const themes = document.querySelector("[data-themes]");
  const rules = [];
  const collect = (list) => {
    for (const rule of list) {
      const is = rule.media && /prefers-color-scheme: ?(dark|light)/.exec(rule.media.mediaText);
      if (is) rules.push([rule, is[1], rule.media.mediaText]);
      if (rule.cssRules) collect(rule.cssRules);
    }
  };
  for (const sheet of document.styleSheets) collect(sheet.cssRules);
  themes.addEventListener("change", ({ target: { value } }) => {
    for (const [rule, scheme, text] of rules) rule.media.mediaText = !value ? text : scheme === value ? "all" : "not all";
    document.documentElement.style.colorScheme = value;
  });
  themes.hidden = false;
})();
