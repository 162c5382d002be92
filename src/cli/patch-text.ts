/**
 * What changed in values, as lines: `~ /total  3 → 5`. Owns the wording.
 */
import { applyPatch, valueAt, type JsonPatch } from '../kernel/json-patch.ts';
import type { Json } from '../log/json.ts';
import { shown, type Painter } from './terminal.ts';
import { valueText } from './words.ts';

const valueMax = 60;

/**
 * A line for each operation of the patch of a context.
 * @param before the value that the patch is for; undefined where it is not known
 */
export function patchLines(patch: JsonPatch, before: Json | undefined, color: Painter): string[] {
  let value = before;
  return patch.map((operation) => {
    const { op, path } = operation;
    const was = value === undefined ? undefined : valueAt(value, path);
    if (before !== undefined || path === '') value = applyPatch(value, [operation]);
    const place = path === '' ? 'context' : shown(path);
    const text = (inner: Json | undefined) => valueText(inner, valueMax);
    if (op === 'remove') return color.red(`- ${place}${was === undefined ? '' : `  ${text(was)}`}`);
    if (op === 'add' || was === undefined) return color.green(`+ ${place}  ${text(operation.value)}`);
    return `${color.yellow(`~ ${place}`)}  ${color.dim(`${text(was)} →`)} ${text(operation.value)}`;
  });
}
