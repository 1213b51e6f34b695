// Controls drawn from the declaration: names, ranges, defaults and help come from
// /v1/operations, so that the page never knows an option that the service lacks.

/** Make an element: attributes as given, children as nodes or text. */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** One labelled control for an option; `name` is the option's name. */
export function control(name, schema) {
  const plain = plainSchema(schema);
  const title = titled(name);
  const unit = schema.unit ? ` (${schema.unit})` : "";
  if (plain.type === "boolean") {
    const box = el("input", { type: "checkbox", "data-option": name });
    return el("label", { class: "switch", title: schema.description }, box, el("span", {}, title));
  }
  const input = plain.enum ? choice(name, plain, schema) : entry(name, plain, schema);
  return el(
    "label",
    {},
    el("span", {}, title + unit),
    ...(Array.isArray(input) ? input : [input]),
    el("small", {}, schema.description ?? ""),
  );
}

/** An option's or fact's name for people: `max_bytes` is "Max bytes". */
export function titled(name) {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The options that a person set inside `root`, by name. */
export function optionsIn(root) {
  const found = {};
  for (const input of root.querySelectorAll("[data-option]")) {
    const value = valueOf(input);
    if (value !== undefined) found[input.dataset.option] = value;
  }
  return found;
}

function valueOf(input) {
  if (input.type === "checkbox") return input.checked ? true : undefined;
  if (input.type === "range") return input.dataset.touched ? Number(input.value) : undefined;
  if (input.value === "" || input.value === input.dataset.default) return undefined;
  return input.type === "number" ? Number(input.value) : input.value;
}

function choice(name, plain, schema) {
  const options = plain.enum.map((word) =>
    el("option", { value: word, selected: word === schema.default }, word),
  );
  if (schema.default === null) options.unshift(el("option", { value: "" }, "auto"));
  return el("select", { "data-option": name, "data-default": schema.default }, ...options);
}

function entry(name, plain, schema) {
  const number = plain.type === "integer" || plain.type === "number";
  const bounds = { min: plain.minimum, max: plain.maximum, step: schema.step };
  if (number && schema.control === "slider" && plain.maximum !== undefined) {
    return slider(name, bounds, schema);
  }
  const kind = number ? { type: "number", inputmode: "numeric", ...bounds } : { type: "text" };
  const hint = schema.default === null ? "" : String(schema.default ?? "");
  return el("input", {
    ...kind,
    "data-option": name,
    maxlength: plain.maxLength,
    placeholder: hint,
  });
}

function slider(name, bounds, schema) {
  const shown = el("output", {}, schema.default === null ? "auto" : String(schema.default));
  const middle = schema.default ?? Math.round((bounds.min + bounds.max) / 2);
  const range = el("input", { type: "range", "data-option": name, ...bounds, value: middle });
  range.addEventListener("input", () => {
    range.dataset.touched = "yes";
    shown.textContent = range.value;
  });
  return [range, shown];
}

/** The branch of a schema that is not null. */
function plainSchema(schema) {
  const branches = schema.anyOf ?? [schema];
  return branches.find((branch) => branch.type !== "null") ?? schema;
}
