import { exactPieces, type Piece } from "../lib/exact";
import { useWords, type Words } from "../words/words";
import classes from "./Approvals.module.css";

/** A stranger's text, all of it: what could not be seen is named where it stands. */
export function Exact({ text }: { text: string }) {
  const words = useWords();
  return exactPieces(text).map((piece, at) =>
    piece.kind === "text" ? (
      piece.text
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: the text never changes
      <Mark key={at} piece={piece} words={words} />
    ),
  );
}

function Mark({ piece, words }: { piece: Exclude<Piece, { kind: "text" }>; words: Words }) {
  return (
    <>
      <mark className={classes.mark}>{nameOf(piece, words)}</mark>
      {piece.kind === "lines" && "\n"}
    </>
  );
}

function nameOf(piece: Exclude<Piece, { kind: "text" }>, { t, amount }: Words): string {
  if (piece.kind === "letter") return piece.code;
  return t(`approvals.mark.${piece.kind}`, { count: amount(piece.count) });
}
