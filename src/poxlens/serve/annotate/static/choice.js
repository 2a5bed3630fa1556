// Which images are gone through, and how far one is.

/** Whether an item has all that is asked of it. */
export const complete = (item) => item.asked.every((name) => item.labels[name]);

/** The filters of a set of labels, as [value, words]: all, open, and each value of each label. */
export function filters(labels) {
  return [
    ["all", "All images"],
    ["open", "Not labelled yet"],
    ...labels.flatMap((label) => label.values.map((value) => [`${label.name}=${value.name}`, `${label.title}: ${value.name}`])),
  ];
}

/** Indices of the items under a filter. */
export function chosen(items, filter) {
  const [name, value] = filter.split("=");
  const fits = (item) => filter === "all" || (filter === "open" ? !complete(item) : item.labels[name] === value);
  return items.flatMap((item, index) => (fits(item) ? [index] : []));
}

/** The next item of a queue after `from` that is not complete, going round once; null when there is none. */
export function openAfter(queue, items, from) {
  const start = queue.indexOf(from) + 1;
  return [...queue.slice(start), ...queue.slice(0, start)].find((index) => !complete(items[index])) ?? null;
}
