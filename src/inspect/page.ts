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

/** Where the build has put it in the package. */
const place = join('dist', 'inspector', 'index.html');

/**
 * @param from a file of the package, built or not
 * @throws LogUnavailableError where it was not built
 */
export function loadPage(from: string = fileURLToPath(import.meta.url)): Page {
  let folder = dirname(from);
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) folder = dirname(folder);
  const file = join(folder, place);
  if (existsSync(file)) return pageOf(readFileSync(file, 'utf8'));
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
