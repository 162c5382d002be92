import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { flaws, makeReceipts } from '../../examples/receipts/make-data.ts';
import { findMend, mendedText, type MendName } from '../../examples/receipts/mend-receipt.ts';
import { findAmounts, showMoney } from '../../examples/receipts/money.ts';
import {
  checkReceipt,
  decodeReceipt,
  parseReceipt,
  readReceipt,
  type Receipt,
} from '../../examples/receipts/parse-receipt.ts';

const directory = new URL('../../examples/receipts/data/', import.meta.url);
const files = readdirSync(directory).sort();
const bytesOf = (file: string) => readFileSync(new URL(file, directory));

function read(bytes: Uint8Array) {
  const text = decodeReceipt(bytes);
  return text.ok ? parseReceipt(text.value) : text;
}

function problemOf(bytes: Uint8Array): string | undefined {
  const parsed = read(bytes);
  return parsed.ok ? checkReceipt(parsed.value)?.code : parsed.problem.code;
}

function good(file: string): Receipt {
  const parsed = read(bytesOf(file));
  if (!parsed.ok) throw new Error(`${file}: ${parsed.problem.detail}`);
  return parsed.value;
}

describe('the receipt files', () => {
  it('D1 are what the generator prints, byte for byte', () => {
    const made = makeReceipts();
    expect(files).toEqual([...made.keys()].sort());
    for (const [file, content] of made) expect(bytesOf(file).equals(Buffer.from(content as string)), file).toBe(true);
  });

  it('are 200, each under 2 kB', () => {
    expect(files).toHaveLength(200);
    expect(files.filter((file) => bytesOf(file).length >= 2048)).toEqual([]);
  });

  it('D2 fail with exactly the problems that were put in', () => {
    const found = files.map((file) => problemOf(bytesOf(file))).filter((code) => code !== undefined);
    const expected = flaws.map(({ code }) => code).filter((code) => code !== 'duplicate');
    expect(found.sort()).toEqual(expected.sort());
  });

  it('hold one receipt twice, which only the ledger can notice', () => {
    const seen = files.flatMap((file) => {
      const parsed = read(bytesOf(file));
      return parsed.ok && checkReceipt(parsed.value) === undefined
        ? [`${parsed.value.merchant} ${parsed.value.number}`]
        : [];
    });
    expect(seen.length - new Set(seen).size).toBe(1);
  });

  it('come in eight languages and seven currencies', () => {
    const parsed = files.map((file) => read(bytesOf(file))).flatMap((result) => (result.ok ? [result.value] : []));
    expect(new Set(parsed.map(({ language }) => language)).size).toBe(8);
    expect(new Set(parsed.map(({ currency }) => currency)).size).toBe(7);
    for (const receipt of parsed) expect(receipt.lines.length, receipt.number).toBeGreaterThan(0);
  });
});

describe('parseReceipt', () => {
  it('reads a bill with sales tax on top and a tip', () => {
    expect(good('013-en-diner.txt')).toMatchObject({
      merchant: 'LOU & SONS SMOKEHOUSE',
      number: '10444',
      issuedOn: '2026-07-18',
      language: 'en',
      currency: 'USD',
      tip: 5403,
      taxes: [{ ratePercent: 8.875, amount: 2180 }],
      taxesAdded: true,
      total: 32143,
    });
  });

  it('reads whole yen and a Japanese date', () => {
    const receipt = good('004-ja-konbini.txt');
    expect(receipt).toMatchObject({ language: 'ja', currency: 'JPY', number: '10111' });
    expect(receipt.issuedOn).toMatch(/^2026-\d\d-\d\d$/);
    expect(receipt.taxes).toMatchObject([{ ratePercent: 8 }]);
  });

  it('tells the tax column from net and gross', () => {
    const [tax] = good('002-de-supermarkt.txt').taxes;
    const { total } = good('002-de-supermarkt.txt');
    expect(tax).toEqual({ ratePercent: 7, amount: Math.round((total * 7) / 107) });
  });

  it.each([
    ['P1 nothing', '', 'unknown-layout'],
    ['P1 a label without an amount', 'SUMME\nMwSt\nRechnung €\n', 'total-missing'],
    ['P1 an impossible month', 'Bon-Nr.:7\nBrot 1,00\nSUMME EUR 1,00\nMwSt\n14.13.2026\n', 'date-impossible'],
    ['P1 no date at all', 'Bon-Nr.:7\nBrot 1,00\nSUMME EUR 1,00\nMwSt\n', 'date-missing'],
  ])('%s is a problem, not an exception', (_title, text, code) => {
    expect(parseReceipt(text)).toMatchObject({ ok: false, problem: { code } });
  });

  it('P1 survives every ninth receipt cut at every tenth byte', () => {
    const cuts = files
      .filter((_, index) => index % 9 === 0)
      .flatMap((file) => {
        const bytes = bytesOf(file);
        return Array.from({ length: Math.floor(bytes.length / 10) }, (_, nth) => read(bytes.subarray(0, nth * 10)));
      });
    expect(cuts.length).toBeGreaterThan(500);
    expect(cuts.filter((parsed) => !parsed.ok && parsed.problem.detail === '')).toEqual([]);
  });
});

describe('mending', () => {
  /** Which mends a receipt takes, one diagnosis after the other, and the problem that is left. */
  function mended(file: string): { mends: MendName[]; problem: string | undefined } {
    const mends: MendName[] = [];
    for (let heals = 0; ; heals++) {
      const text = mendedText(bytesOf(file), mends);
      const parsed = text.ok ? readReceipt(text.value) : text;
      if (parsed.ok) return { mends, problem: undefined };
      const { remedy } = findMend(bytesOf(file), mends, parsed.problem.code);
      if (remedy === null || heals === 3) return { mends, problem: parsed.problem.code };
      mends.push(remedy);
    }
  }

  it('D2, Q3 mends exactly the receipts that can be mended, with what was meant for them', () => {
    const all = files.map(mended).filter(({ mends, problem }) => mends.length > 0 || problem !== undefined);
    const wanted = flaws
      .filter(({ code }) => code !== 'duplicate')
      .map(({ code, mends = [] }) => ({ mends: [...mends], problem: mends.length > 0 ? undefined : code }));
    const sorted = (list: readonly object[]) => list.map((one) => JSON.stringify(one)).sort();
    expect(sorted(all)).toEqual(sorted(wanted));
  });

  it('Q2 gives exactly the receipt that there was before it was damaged', () => {
    const pristine = makeReceipts([]);
    const healed = files.filter((file) => mended(file).mends.length > 0);
    expect(healed).toHaveLength(11);
    for (const file of healed) {
      const text = mendedText(bytesOf(file), mended(file).mends);
      expect(text.ok && readReceipt(text.value), file).toEqual(readReceipt(pristine.get(file) as string));
    }
  });

  const slip = (...lines: string[]) => new TextEncoder().encode(`VAT Receipt No: 7\n${lines.join('\n')}\n3 May 2026\n`);

  it('Q2 puts in a total only where it is what was paid for the lines', () => {
    const paid = slip('Tea £2.50', 'Scone £2.50', 'CASH £5.00', 'CHANGE £0.00');
    expect(findMend(paid, [], 'total-missing').remedy).toBe('restoreTotal');
    const text = mendedText(paid, ['restoreTotal']);
    expect(text.ok && text.value).toContain('Scone £2.50\nTOTAL £5.00\nCASH £5.00');

    const unpaid = slip('Tea £2.50', 'Scone £1.50', 'CASH £5.00');
    expect(findMend(unpaid, [], 'total-missing').remedy).toBeNull();
    expect(mendedText(unpaid, ['restoreTotal'])).toEqual(mendedText(unpaid, []));
  });

  it('Q3 names no mend that leaves the problem as it is', () => {
    const wrong = slip('Tea £2.50', 'TOTAL £9.50');
    expect(findMend(wrong, [], 'sum-mismatch')).toEqual({
      remedy: null,
      finding: 'nothing here can be mended without a guess',
    });
  });
});

describe('findAmounts', () => {
  it.each([
    ['SUMME EUR 1.234,50', 'EUR', [123450]],
    ['Übernachtung à 1’295.00   2’590.00', 'CHF', [129500, 259000]],
    ['NET À PAYER 1\u00a0234,50 €', 'EUR', [123450]],
    ['CLUBCARD SAVING -£0.89', 'GBP', [-89]],
    ['Rabatt 1,50-', 'EUR', [-150]],
    ['合計 ¥12,011', 'JPY', [12011]],
    ['62,95 L x 1,662 €/L', 'EUR', [6295]],
    ['Steuer 7,00 % 0,41', 'EUR', [41]],
    ['Bon-Nr. 10037', 'EUR', []],
  ] as const)('M2 finds in %j', (line, currency, minors) => {
    expect(findAmounts(line, currency).map(({ minor }) => minor)).toEqual(minors);
  });

  it('prints what it read for people', () => {
    expect([showMoney(-5, 'EUR'), showMoney(123450, 'USD'), showMoney(980, 'JPY')]).toEqual([
      '-0.05 EUR',
      '1234.50 USD',
      '980 JPY',
    ]);
  });
});
