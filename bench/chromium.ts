/**
 * The browser that looks at the inspector. Owns where it is found and how it is started.
 *
 * CR1  It talks to nobody but the pages it is given: what browsers ask their makers for is switched off.
 */
import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Its executable: what CHROMIUM_PATH names, or one in a usual place; undefined where there is none. */
export function findChromium(): string | undefined {
  const named = process.env.CHROMIUM_PATH;
  return named ?? places.find((path) => existsSync(path));
}

/** @throws Error that says how to get one, where there is none */
export async function startChromium(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined || !existsSync(executablePath)) {
    const looked = executablePath ?? places.join(', ');
    throw new Error(
      `No Chromium at ${looked}. Install one, on Debian and Ubuntu with 'apt-get install -y chromium', ` +
        'or name the executable of one in CHROMIUM_PATH.',
    );
  }
  // The sandbox of Chromium refuses to run as root, which is who tests run as in a container.
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({ executablePath, chromiumSandbox: !isRoot });
}
