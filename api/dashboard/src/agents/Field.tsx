import { Autocomplete, Select, TagsInput, Textarea, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { useWords } from "../words/words";
import { isTexts, valueAt } from "./contents";
import { shownText, withField, withTyped } from "./editing";
import { KINDS, type TextField } from "./fields";
import { useFault, useFieldName, useForm } from "./form";
import { showValue } from "./kinds";
import { defaultAt } from "./rules";

interface Common {
  hint?: ReactNode;
  /** Shown after the text: what the figure counts. */
  unit?: string;
}

/** What a text field of any shape needs. */
function useText(path: TextField, { hint, unit }: Common) {
  const { editing, change, isLocked } = useForm();
  const name = useFieldName();
  const error = useFault(path);
  return {
    label: name(path),
    description: hint,
    error,
    readOnly: isLocked,
    placeholder: showValue(KINDS[path], defaultAt(path)),
    value: shownText(editing, path),
    rightSection: unit,
    rightSectionPointerEvents: "none" as const,
    rightSectionWidth: unit ? unit.length * 9 + 20 : undefined,
    put: (text: string) => change((now) => withTyped(now, path, text)),
  };
}

/** One line. */
export function Line({ path, ...given }: { path: TextField } & Common) {
  const { put, ...text } = useText(path, given);
  return <TextInput {...text} onChange={(event) => put(event.currentTarget.value)} />;
}

/** Several lines. */
export function Lines({
  path,
  rows = 3,
  most = 24,
  ...given
}: { path: TextField; rows?: number; most?: number } & Common) {
  const { put, ...text } = useText(path, given);
  return (
    <Textarea
      {...text}
      autosize
      minRows={rows}
      maxRows={most}
      onChange={(event) => put(event.currentTarget.value)}
    />
  );
}

/** One line with suggestions; anything else may be typed. */
export function Suggested({ path, data, ...given }: { path: TextField; data: string[] } & Common) {
  const { put, ...text } = useText(path, given);
  return <Autocomplete {...text} data={data} limit={40} onChange={put} />;
}

/** One of a few; the first is what holds where nothing is said. */
export function Choice({
  path,
  options,
  hint,
  fallback,
}: {
  path: string;
  options: { value: string; label: string }[];
  hint?: ReactNode;
  fallback: string;
}) {
  const { editing, change, isLocked } = useForm();
  const name = useFieldName();
  const error = useFault(path);
  const value = valueAt(editing.content, path);
  return (
    <Select
      label={name(path)}
      description={hint}
      error={error}
      readOnly={isLocked}
      allowDeselect={false}
      data={options}
      value={typeof value === "string" ? value : fallback}
      onChange={(next) =>
        change((now) => withField(now, path, next === fallback ? undefined : (next ?? undefined)))
      }
    />
  );
}

/** Names, each its own. Nothing said is the default; said to be none is none. */
export function Names({
  path,
  data,
  hint,
}: {
  path: string;
  data: readonly string[];
  hint?: ReactNode;
}) {
  const { editing, change, isLocked } = useForm();
  const { t } = useWords();
  const name = useFieldName();
  const error = useFault(path);
  const said = valueAt(editing.content, path);
  const byDefault = defaultAt(path);
  const value = isTexts(said) ? said : isTexts(byDefault) ? byDefault : [];
  return (
    <TagsInput
      label={name(path)}
      description={hint}
      error={error}
      readOnly={isLocked}
      data={data.filter((each) => !value.includes(each))}
      value={[...value]}
      splitChars={[",", "\n"]}
      acceptValueOnBlur
      placeholder={value.length === 0 ? t("agents.none") : undefined}
      onChange={(next) => change((now) => withField(now, path, next))}
    />
  );
}
