/** A stranger's text as letters: none of them acts on the page that it stands in. */

/** What turns the order of letters round: embeddings, overrides, isolates. */
const DIRECTIONS = /[\u202a-\u202e\u2066-\u2069]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROLS = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;

/** Letters that would act on the page's text instead of being read, as what they are. */
export function visible(text: string): string {
  return text
    .replace(DIRECTIONS, (letter) => `⟨U+${letter.charCodeAt(0).toString(16).toUpperCase()}⟩`)
    .replace(CONTROLS, pictureOf);
}

/** Unicode has a picture of each control of ASCII; the others have none. */
function pictureOf(letter: string): string {
  const code = letter.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? "␡" : "�";
}
