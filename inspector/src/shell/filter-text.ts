/**
 * What is typed into a filter: `machine:order -status:done "card declined" /time(out|d)/`. Owns the notation.
 *
 * FT1  Terms of one field are alternatives, fields are conditions; a term with `-` before it excludes.
 * FT2  Text without a field is looked for everywhere; every text must be there.
 * FT3  Every text is a filter: what is no regular expression is said, and matches nothing.
 * FT4  parseFilter(formatFilter(terms)) is terms.
 */
export interface Term {
  /** `text` for what was typed without a field. */
  readonly field: string;
  readonly value: string;
  readonly isNot: boolean;
  /** Whether the value is the inside of /…/. */
  readonly isPattern: boolean;
}

export type Matches = (text: string) => boolean;

// A minus, a name of a field, and then /…/, "…" or a word. What a quote or slash does not close goes to the end.
const term = /(-)?(?:([a-z]+):)?(?:\/((?:\\.|[^\\/])+)\/(?=\s|$)|"((?:\\.|[^\\"])*)(?:"|$)|(\S+))/g;

/** @param fields the names that may stand before a colon; any other is a part of the text */
export function parseFilter(text: string, fields: readonly string[]): readonly Term[] {
  return [...text.matchAll(term)].flatMap(([whole, minus, field, pattern, quoted, word]): Term[] => {
    const isNot = minus !== undefined;
    if (field !== undefined && !fields.includes(field)) {
      const value = whole.slice(isNot ? 1 : 0);
      return [{ field: 'text', value, isNot, isPattern: false }];
    }
    const base = { field: field ?? 'text', isNot };
    if (pattern !== undefined) return [{ ...base, value: pattern, isPattern: true }];
    const value = quoted?.replaceAll(/\\(.)/g, '$1') ?? word ?? '';
    return value === '' ? [] : [{ ...base, value, isPattern: false }];
  });
}

export function formatFilter(terms: readonly Term[]): string {
  return terms.map(formatTerm).join(' ');
}

function formatTerm({ field, value, isNot, isPattern }: Term): string {
  const sign = (isNot ? '-' : '') + (field === 'text' ? '' : `${field}:`);
  if (isPattern) return `${sign}/${value}/`;
  const isPlain = /^[^\s"/:-][^\s":]*$/.test(value);
  return sign + (isPlain ? value : `"${value.replaceAll(/["\\]/g, '\\$&')}"`);
}

/** Whether a term is there: for a switch that stands for it. */
export function stateOf(terms: readonly Term[], field: string, value: string): 'only' | 'not' | 'off' {
  const found = terms.find((one) => one.field === field && one.value === value && !one.isPattern);
  return found === undefined ? 'off' : found.isNot ? 'not' : 'only';
}

/** The terms with one more, one turned round, or one less. */
export function withTerm(
  terms: readonly Term[],
  field: string,
  value: string,
  state: 'only' | 'not' | 'off',
): readonly Term[] {
  const others = terms.filter((one) => one.field !== field || one.value !== value || one.isPattern);
  return state === 'off' ? others : [...others, { field, value, isNot: state === 'not', isPattern: false }];
}

/** What a term says of one text. Words are found whatever their case; a pattern says itself what it means. */
function matcherOf({ value, isPattern }: Term): Matches {
  if (!isPattern) {
    const wanted = value.toLowerCase();
    return (text) => text.toLowerCase().includes(wanted);
  }
  const pattern = patternOf(value);
  return (text) => pattern?.test(text) ?? false;
}

function patternOf(value: string): RegExp | undefined {
  try {
    return new RegExp(value);
  } catch {
    return undefined;
  }
}

/** What is wrong with a filter, if anything. */
export function complaintOf(terms: readonly Term[]): string | undefined {
  const broken = terms.find(({ value, isPattern }) => isPattern && patternOf(value) === undefined);
  return broken && `/${broken.value}/ is no regular expression.`;
}

/**
 * The predicate of a whole filter.
 * @param textOf what an item says for a field; `text` is everything that can be looked for
 * @param isWhole fields whose value must be the whole text, not a part of it
 */
export function predicateOf<T>(
  terms: readonly Term[],
  textOf: (item: T, field: string) => string,
  isWhole: readonly string[],
): (item: T) => boolean {
  const compiled = terms.map((one) => ({
    ...one,
    matches: one.isPattern || !isWhole.includes(one.field) ? matcherOf(one) : (text: string) => text === one.value,
  }));
  const excluding = compiled.filter(({ isNot }) => isNot);
  const texts = compiled.filter(({ isNot, field }) => !isNot && field === 'text');
  const conditions = compiled.filter(({ isNot, field }) => !isNot && field !== 'text');
  const fields = new Set(conditions.map(({ field }) => field));
  return (item) =>
    excluding.every(({ field, matches }) => !matches(textOf(item, field))) &&
    texts.every(({ matches }) => matches(textOf(item, 'text'))) &&
    [...fields].every((field) => conditions.some((one) => one.field === field && one.matches(textOf(item, field))));
}
