import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { visible } from "../lib/visible";

/**
 * A stranger's words: no HTML, no pictures from elsewhere, and links that tell the other side
 * nothing of us.
 */
const LEADS_ELSEWHERE = /^(https?:|mailto:)/i;
const FOOTNOTE = "#user-content-";

const PARTS: Components = {
  a: ({ href, children, id }) =>
    href && LEADS_ELSEWHERE.test(href) ? (
      <a href={href} target="_blank" rel="noopener noreferrer nofollow">
        {children}
      </a>
    ) : href?.startsWith(FOOTNOTE) ? (
      <a href={href} id={id}>
        {children}
      </a>
    ) : (
      // What leads nowhere, or to a page of ours that no stranger means, does not look like a link.
      <span>{children}</span>
    ),
  // A heading of an agent's is none of the page's.
  h1: ({ children }) => <h3>{children}</h3>,
  h2: ({ children }) => <h3>{children}</h3>,
  h4: ({ children }) => <h3>{children}</h3>,
  h5: ({ children }) => <h3>{children}</h3>,
  h6: ({ children }) => <h3>{children}</h3>,
  table: ({ children }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached with the keyboard
    <div data-table="" tabIndex={0}>
      <table>{children}</table>
    </div>
  ),
};

const PLUGINS = [remarkGfm];

/** `pictureOf` finds the address of one of our own pictures; all others stay words. */
export default function Markdown({
  text,
  pictureOf,
}: {
  text: string;
  pictureOf?: (source: string) => string | null;
}) {
  const components: Components = {
    ...PARTS,
    img: ({ src, alt }) => {
      const address = typeof src === "string" ? pictureOf?.(src) : null;
      return address ? <img src={address} alt={alt ?? ""} /> : <span>[{alt}]</span>;
    },
  };
  return (
    <ReactMarkdown remarkPlugins={PLUGINS} components={components} skipHtml>
      {visible(text)}
    </ReactMarkdown>
  );
}
