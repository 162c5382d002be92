/** Light and dark, in a browser: both can be read. */
import type { Page } from 'playwright-core';
import { describe, expect } from 'vitest';
import { test } from './looking.ts';
import { panel, standsAt } from './parts.ts';

type Rgb = readonly [red: number, green: number, blue: number];

/** The colours of the page's variables as they are computed. */
async function colours(page: Page): Promise<{ readonly [name: string]: Rgb }> {
  return page.evaluate(`(() => {
    const probe = document.body.appendChild(document.createElement('i'));
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const names = ['--bg', '--panel', '--fg', '--muted', '--accent', '--ok', '--bad', '--warn', '--info', '--on-accent', '--hover', '--chosen'];
    const found = Object.fromEntries(names.map((name) => {
      probe.style.color = 'var(' + name + ')';
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = getComputedStyle(probe).color;
      canvas.fillRect(0, 0, 1, 1);
      return [name, [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)];
    }));
    probe.remove();
    return found;
  })()`);
}

/** Contrast as WCAG 2.2 reckons it: from 1 to 21. */
function contrast(one: Rgb, other: Rgb): number {
  const luminance = (colour: Rgb) => {
    const [red, green, blue] = colour.map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    }) as unknown as Rgb;
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [light, dark] = [luminance(one), luminance(other)].toSorted((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** For text of this size, WCAG level AA. */
const leastContrast = 4.5;

describe('contrast', () => {
  test('is 21 between black and white, and 1 between equals', () => {
    expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21);
    expect(contrast([9, 9, 9], [9, 9, 9])).toBe(1);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`is enough for every kind of text, ${colorScheme}`, async ({ look, copyOf }) => {
      const { page } = await look(copyOf('demo'), { context: { colorScheme } });
      await page.getByRole('option').first().waitFor();
      const found = await colours(page);
      const texts = ['--fg', '--muted', '--accent', '--ok', '--bad', '--warn', '--info'];
      const grounds = ['--bg', '--panel', '--hover', '--chosen'];
      const pairs = [...texts.flatMap((text) => grounds.map((ground) => [text, ground] as const))];
      const weak = [...pairs, ['--on-accent', '--accent'] as const]
        .map(([text, ground]) => ({ text, ground, contrast: contrast(found[text]!, found[ground]!) }))
        .filter((pair) => pair.contrast < leastContrast);
      expect(weak).toEqual([]);
    });
  }
});

test('a button that is pointed at keeps its colours apart', async ({ look, copyOf }) => {
  const { page } = await look(copyOf('demo'), { hash: '#/streams/order-1001@6' });
  await standsAt(page, 6);
  const whatIf = await panel(page, 'What if');
  await whatIf.getByRole('button', { name: 'Drop it' }).click();
  const run = whatIf.getByRole('button', { name: 'Run', exact: true });
  await run.hover();
  const [ground, accent] = await page.evaluate<[string, string]>(`(() => {
    const { backgroundColor } = getComputedStyle(document.querySelector('.button.primary:hover'));
    const probe = document.body.appendChild(document.createElement('i'));
    probe.style.color = 'var(--accent)';
    const accent = getComputedStyle(probe).color;
    probe.remove();
    return [backgroundColor, accent];
  })()`);
  // The contrast of the accent with what is written on it is that of the test above.
  expect(ground).toBe(accent);
});

describe('the theme', () => {
  test('is that of the system until one chooses another, and stays chosen', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'), {
      context: { colorScheme: 'dark' },
      hash: '#/streams/order-1001@6',
    });
    await standsAt(page, 6);
    const ground = () => page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor');
    const dark = await ground();
    await page.getByRole('button', { name: 'Theme: as the system' }).click();
    await page.getByRole('button', { name: 'Theme: light' }).waitFor();
    expect(await ground()).not.toBe(dark);
    await page.reload();
    await page.getByRole('button', { name: 'Theme: light' }).click();
    await page.getByRole('button', { name: 'Theme: dark' }).waitFor();
    expect(await ground()).toBe(dark);
  });
});
