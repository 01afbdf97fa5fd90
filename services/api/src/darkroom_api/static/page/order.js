// What is to be done, as the form says it.

/** The operations that the form asks for, in the order in which they are applied. */
export function operations(form) {
  const chosen = form.elements;
  const list = [];
  if (chosen.resize.checked) list.push(resize(chosen));
  if (chosen.blur.checked) list.push({ op: "blur", radius: Number(chosen.radius.value) });
  if (chosen.convert.checked) {
    list.push({ op: "convert", format: chosen.format.value, ...given({ quality: chosen.quality }) });
  }
  return list;
}

function resize(chosen) {
  const size = given({ width: chosen.width, height: chosen.height });
  if (!Object.keys(size).length) throw new Error("Resize needs a width, a height, or both.");
  return { op: "resize", fit: chosen.fit.value, ...size };
}

function given(inputs) {
  const filled = Object.entries(inputs).filter(([, input]) => input.value !== "");
  for (const [name, input] of filled) {
    if (!input.checkValidity()) throw new Error(`${name}: ${input.validationMessage}`);
  }
  return Object.fromEntries(filled.map(([name, input]) => [name, Number(input.value)]));
}
