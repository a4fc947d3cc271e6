// Says what the chosen seats cost together and what of that is a gift. The page works without.
const form = document.querySelector("[data-tickets]");
const selects = [...form.querySelectorAll("select[data-price]")];
const button = form.querySelector("[data-pay]");
const note = form.querySelector("[data-split]");
const first = [button, note].map((e) => e?.textContent);
const dollars = (cents) =>
  (cents / 100).toLocaleString("en-US", { style: "currency", currency: "USD", trailingZeroDisplay: "stripIfInteger" });
const show = () => {
  const of = (name) => selects.reduce((sum, e) => sum + e.value * e.dataset[name], 0);
  const price = of("price"), value = of("value");
  const words = { sum: dollars(price), value: dollars(value), gift: dollars(price - value) };
  const fill = (text) => text.replace(/\{(\w+)\}/g, (_, name) => words[name]);
  const { split, noGift, allGift } = note.dataset;
  button.textContent = price ? fill(button.dataset.pay) : first[0];
  note.textContent = price ? fill(value ? (value < price ? split : noGift) : allGift) : first[1];
};
if (button) {
  form.addEventListener("change", show);
  addEventListener("pageshow", show); // browsers bring back what was chosen
}
