// The Flesch-Kincaid grade of an English text: years of school that it takes (Kincaid 1975). Syllables are counted by
// their vowels, which is right to within a few per cent.

export function grade(text: string): number {
  const plain = text.replace(/\{\w+\}/g, "ten").replace(/PCR/g, "test");
  const sentences = plain.split(/[.?!:]+\s/).filter((one) => /[a-z]/i.test(one)).length;
  const words = plain.match(/[a-z']+/gi) ?? [];
  const syllables = words.reduce((sum, word) => sum + count(word.toLowerCase()), 0);
  return 0.39 * (words.length / sentences) + 11.8 * (syllables / words.length) - 15.59;
}

function count(word: string): number {
  const groups = word.replace(/(?:es|ed|e)$/, "").match(/[aeiouy]+/g);
  return Math.max(1, groups?.length ?? 1);
}
