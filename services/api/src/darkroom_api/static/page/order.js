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

const FITS = { inside: "resized to fit", cover: "resized to fill", fill: "stretched to" };

/** What these operations do, as a sentence. */
export function describe(list) {
  const steps = list.map((step) => {
    if (step.op === "blur") return `blurred with a radius of ${step.radius} px`;
    if (step.op === "resize") return `${FITS[step.fit]} ${size(step)}`;
    return `converted to ${step.format.toUpperCase()}${step.quality ? ` at quality ${step.quality}` : ""}`;
  });
  const always = "turned upright, stripped of metadata and re-encoded";
  if (!steps.length) return `No step selected: photographs are only ${always}.`;
  return `Photographs are ${steps.join(", then ")}, and always ${always}.`;
}

function size({ width, height }) {
  if (width && height) return `${width} × ${height} px`;
  return width ? `a width of ${width} px` : `a height of ${height} px`;
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
