/**
 * Times as a person reads them. Owns the words; they are of two units at most.
 *
 * TW1  A gap in a timeline is said where it is, so that the time between two events takes no room.
 */
const units = [
  { name: 'd', ms: 86_400_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'min', ms: 60_000 },
  { name: 's', ms: 1000 },
] as const;

/** `350 ms`, `1.2 s`, `42 s`, `4 min 5 s`, `3 d 2 h`, `412 d`. */
export function durationWords(durationMs: number): string {
  const ms = Math.max(0, Math.round(durationMs));
  if (ms < 1000) return `${ms} ms`;
  if (ms < 9_950) return `${(ms / 1000).toFixed(1).replace(/\.0$/, '')} s`;
  const at = units.findIndex((unit) => ms >= unit.ms);
  const unit = units[at]!;
  const below = units[at + 1];
  const whole = below ? Math.floor(ms / unit.ms) : Math.round(ms / unit.ms);
  const rest = below && whole < 100 ? Math.floor((ms % unit.ms) / below.ms) : 0;
  return `${whole} ${unit.name}${rest > 0 ? ` ${rest} ${below?.name}` : ''}`;
}

/** `in 3 min`, `2 h 5 min ago`, `now`. */
export function relativeWords(at: number, now: number): string {
  const ahead = at - now;
  if (Math.abs(ahead) < 1000) return 'now';
  return ahead > 0 ? `in ${durationWords(ahead)}` : `${durationWords(-ahead)} ago`;
}

/** From how long on nothing happening is a gap. */
const gapMsMin = 60_000;

/** What stands in the column of times: nothing within one instant, the time since the row before, or a gap. */
export function sinceBefore(
  before: number | undefined,
  at: number,
): { readonly text: string; readonly isGap: boolean } | undefined {
  if (before === undefined || at <= before) return undefined;
  const isGap = at - before >= gapMsMin;
  return { text: isGap ? `${durationWords(at - before)} later` : `+${durationWords(at - before)}`, isGap };
}

/** `2026-03-01 14:02:11.350`, in the time zone of the browser. */
export function exactWords(at: number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return String(at);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
