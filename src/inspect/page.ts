/**
 * The page: one file, built beforehand. Owns where it is found, and what it may do in the browser.
 *
 * PA1  Nothing runs in the page but what was built into it: the policy names its scripts and styles by their hashes.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LogUnavailableError } from '../errors.ts';

export interface Page {
  readonly html: string;
  /** The Content-Security-Policy that it is served with. */
  readonly policy: string;
}

/** Where the build has put it, seen from sources and from what is built of them. */
const place = join('dist', 'inspector', 'index.html');

/** @throws LogUnavailableError where it was not built */
export function loadPage(): Page {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    const file = join(folder, place);
    if (existsSync(file)) return pageOf(readFileSync(file, 'utf8'));
    if (folder === dirname(folder)) break;
  }
  throw new LogUnavailableError(
    `The page of the inspector is not there: '${place}' is missing. Run 'npm run build', or install the package again.`,
    false,
  );
}

/** PA1. */
function pageOf(html: string): Page {
  const hashes = (tag: string) =>
    [...html.matchAll(new RegExp(`<${tag}\\b[^>]*>([\\s\\S]*?)</${tag}>`, 'g'))].map(
      ([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
    );
  const policy = [
    "default-src 'none'",
    `script-src ${hashes('script').join(' ') || "'none'"}`,
    `style-src ${hashes('style').join(' ') || "'none'"}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return { html, policy };
}
