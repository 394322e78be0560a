import {
  type CSSVariablesResolver,
  createTheme,
  localStorageColorSchemeManager,
  type MantineColorsTuple,
} from "@mantine/core";

/** Sunlight on a mirror: for what a person can press. Its dark end is text on light ground. */
const sun: MantineColorsTuple = [
  "#fff7e6",
  "#ffedcc",
  "#ffda99",
  "#ffc661",
  "#ffb73a",
  "#ffae21",
  "#ffa713",
  "#c97d00",
  "#8f5700",
  "#6b4100",
];

const dark: MantineColorsTuple = [
  "#e8e6e1",
  "#b9bac1",
  "#9a9ca7",
  "#6d707d",
  "#3d414d",
  "#2a2e38",
  "#20242d",
  "#181b22",
  "#101217",
  "#0b0d11",
];

export const theme = createTheme({
  colors: { sun, dark },
  primaryColor: "sun",
  primaryShade: { light: 5, dark: 5 },
  autoContrast: true,
  luminanceThreshold: 0.4,
  defaultRadius: "md",
  fontFamily:
    '"Inter Variable", system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans KR", "Noto Sans CJK KR", "Apple SD Gothic Neo", "Malgun Gothic", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "SF Mono", "Cascadia Code", "Noto Sans Mono", Menlo, monospace',
  headings: { fontWeight: "650" },
  respectReducedMotion: true,
  cursorType: "pointer",
  components: {
    // What a field wants to be told stands below it, so that fields of a row stand in line.
    InputWrapper: {
      defaultProps: { inputWrapperOrder: ["label", "input", "error", "description"] },
    },
  },
});

/** The few colours that Mantine would choose otherwise; styles.css has those of our own parts. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-body": "#f7f6f3",
    "--mantine-color-text": "#1d1b16",
    "--mantine-color-dimmed": "#645f54",
    "--mantine-color-anchor": "#8f5700",
    "--mantine-color-error": "#b42318",
    "--mantine-color-placeholder": "#6f6a5f",
  },
  dark: {
    "--mantine-color-body": "#101217",
    "--mantine-color-text": "#e8e6e1",
    "--mantine-color-dimmed": "#a1a3ad",
    "--mantine-color-anchor": "#ffc661",
    "--mantine-color-error": "#ff9b91",
    "--mantine-color-placeholder": "#9a9ca7",
  },
});

export const schemes = localStorageColorSchemeManager({ key: "heliostat.scheme" });

/** The nonce of this page: style tags without it are refused. */
export function pageNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";
}

/** A dialog keeps the page below from scrolling with a style tag, whose nonce is looked for here. */
export function lendNonce(): void {
  Object.assign(globalThis, { __webpack_nonce__: pageNonce() });
}
