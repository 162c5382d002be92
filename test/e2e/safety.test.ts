/** Who sees what, in a browser: the token, payloads that are hidden, and a page that talks to nobody else. */
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { meter } from '../../bench/parts/big-logs.ts';
import { createRuntime } from '../../src/index.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { test } from './looking.ts';
import { panel, standsAt } from './parts.ts';

/** Said in a context, in a payload, in an error and in a fact. */
const secrets = ['1.249,00', '1278.90', 'Sleeve', '3115', 'laptop.jpg'];

describe('a page without the right token', () => {
  test('shows nothing but how to get one', async ({ look, copyOf }) => {
    const { url, again } = await look(copyOf('demo'), { expects: [/401/] });
    for (const token of ['?token=wrong', '']) {
      const page = await again(new URL(`/${token}`, url).href);
      await page.getByText('Open the URL that was printed').first().waitFor();
      expect(await page.content()).not.toContain('receipt');
    }
  });
});

describe('payloads', () => {
  for (const mode of ['masked', 'none'] as const) {
    test(`never reach a page of a server that shows them ${mode}`, async ({ look, copyOf }) => {
      const { page } = await look(copyOf('demo'), { flags: ['--payloads', mode], hash: '#/streams/receipt-0044@2' });
      const bodies: Promise<string>[] = [];
      page.on('response', (response) => {
        // The tail has no end to wait for.
        if (/\/api\/(?!tail)/.test(response.url())) bodies.push(response.text().catch(() => ''));
      });
      await standsAt(page, 2);
      for (const title of ['Context', 'Frame', 'Effects', 'Trace', 'Facts', 'Handlers', 'Explain', 'Raw']) {
        await panel(page, title);
        await page.getByRole('tabpanel', { name: title }).and(page.locator('[aria-busy="false"]')).waitFor();
      }
      await page.getByRole('slider', { name: 'Revision' }).fill('5');
      await standsAt(page, 5);
      const seen = [await page.content(), ...(await Promise.all(bodies))].join('\n');
      for (const secret of secrets) expect(seen).not.toContain(secret);
      await page.getByText(mode === 'masked' ? 'values hidden' : 'without payloads').waitFor();
    });
  }

  test('are text, whatever they look like', async ({ look, folder }) => {
    const path = join(folder, 'script.db');
    const script = '<img src=x onerror="document.title = 1"><script>document.title = 1</script>';
    const runtime = await createRuntime({ log: sqliteLog(path), machines: { meter }, logger: silentLogger });
    const ref = await runtime.start('meter', { id: script.replaceAll(/[^a-z]/g, ''), correlationId: script });
    await ref.send({ type: 'READ', value: 1, note: script } as never);
    await runtime.close();
    const { page } = await look(path);
    await page.getByRole('option').first().click();
    await standsAt(page, 1);
    await panel(page, 'Frame');
    await page.getByText('<img src=x').first().waitFor();
    expect(await page.title()).not.toBe('1');
    expect(await page.locator('#app img, #app script').count()).toBe(0);
  });
});

describe('the server', () => {
  test('listens on this machine alone and answers nobody who calls it by another name', async ({ look, copyOf }) => {
    const { url } = await look(copyOf('demo'));
    expect(new URL(url).hostname).toBe('127.0.0.1');
    const { status } = await fetch(new URL('/api/log', url));
    expect(status).toBe(401);
    const policy = (await fetch(url)).headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe-eval');
  });
});
