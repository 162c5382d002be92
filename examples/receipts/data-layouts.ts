/**
 * What each kind of example receipt looks like: twelve layouts in eight languages and seven currencies. Owns the
 * look; the shops are in data-shops.ts, choosing and breaking receipts is make-data.ts's work.
 *
 * Y1  A layout draws everything from the Random it is given: the same seed prints the same receipt.
 * Y2  A receipt adds up, in whole minor units, as its country computes it.
 */
import { chHotel, esGasolinera, esTaxi } from './data-layouts-travel.ts';
import * as shops from './data-shops.ts';
import {
  between,
  buy,
  centred,
  comma,
  day,
  oneOf,
  point,
  row,
  spaced,
  sum,
  taxOf,
  text,
  time,
  two,
  visit,
  yen,
  type Slip,
} from './data-printing.ts';

/** Prints one receipt. */
export type Layout = (slip: Slip) => string;

/** Every layout by the name its files carry, with how many of the 200 receipts it gets. */
export const layouts: readonly (readonly [name: string, count: number, layout: Layout])[] = [
  ['de-supermarkt', 24, deSupermarkt],
  ['en-grocer', 22, gbGrocer],
  ['en-diner', 20, usDiner],
  ['fr-pharmacie', 16, frPharmacie],
  ['fr-bistrot', 14, frBistrot],
  ['es-gasolinera', 16, esGasolinera],
  ['es-taxi', 14, esTaxi],
  ['it-trattoria', 16, itTrattoria],
  ['pl-sklep', 18, plSklep],
  ['ja-konbini', 16, jaKonbini],
  ['de-hotel', 12, chHotel],
  ['sv-webshop', 12, seWebshop],
];

function deSupermarkt({ random, serial }: Slip): string {
  const shop = visit(random, shops.deSupermarkt);
  const bought = buy(random, shops.deSupermarkt, 3, 8);
  const off = random() < 0.3 ? between(random, 20, 90) : 0;
  const total = sum(bought) - off;
  const { d, m, y } = day(random);
  const vat = taxOf(total, 7);
  const items = bought.flatMap(({ name, count, price, amount }) => [
    row(name, `${comma(amount)} B`, 36),
    ...(count > 1 ? [`      ${count} x ${comma(price)}`] : []),
  ]);
  const given = Math.ceil(total / 1000) * 1000;
  return text(
    centred(shop.name, 36),
    centred(shop.place, 36),
    centred(`UID Nr.: DE${811_000_000 + serial}`, 36),
    row('', 'EUR', 36),
    items,
    off > 0 ? [row('Rabatt Treuekarte', `${comma(-off)} B`, 36)] : [],
    '-'.repeat(36),
    row('SUMME             EUR', comma(total), 36),
    row('Geg. BAR          EUR', comma(given), 36),
    row('Rückgeld BAR      EUR', comma(-(given - total)), 36),
    '',
    'Steuer  %    Netto   Steuer   Brutto',
    `B=   7,0%${comma(total - vat).padStart(9)}${comma(vat).padStart(9)}${comma(total).padStart(9)}`,
    '',
    `${d}.${m}.${y}  ${time(random)}  Bon-Nr.:${serial}`,
    `Kasse: ${between(random, 1, 6)}   Bed.: ${between(random, 100, 999)}`,
    centred('Vielen Dank für Ihren Einkauf!', 36),
  );
}

function gbGrocer({ random, serial }: Slip): string {
  const shop = visit(random, shops.gbGrocer);
  const bought = buy(random, shops.gbGrocer, 3, 8);
  const saving = random() < 0.35 ? between(random, 25, 120) : 0;
  const total = sum(bought) - saving;
  const vat = taxOf(Math.round(total / 4), 20);
  const month = oneOf(random, ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul']);
  return text(
    shop.name,
    shop.place,
    `VAT Reg GB ${between(random, 100, 999)} ${between(random, 1000, 9999)} ${two(serial % 100)}`,
    '',
    bought.map(({ name, count, amount }) => row(count > 1 ? `${count} ${name}` : name, `£${point(amount)}`, 34)),
    saving > 0 ? [row('CLUBCARD SAVING', `-£${point(saving)}`, 34)] : [],
    row('', '--------', 34),
    row('TOTAL', `£${point(total)}`, 34),
    row('VISA DEBIT', `£${point(total)}`, 34),
    row('CHANGE', '£0.00', 34),
    '',
    row('VAT 20% included', `£${point(vat)}`, 34),
    `Receipt No: ${two(serial % 60)}-${serial}`,
    `${between(random, 1, 28)} ${month} 2026  ${time(random)}  Till ${between(random, 1, 9)}`,
    'Thank you for shopping with us',
  );
}

function usDiner({ random, serial }: Slip): string {
  const shop = visit(random, shops.usDiner);
  const bought = buy(random, shops.usDiner, 2, 6);
  const subtotal = sum(bought);
  const tax = Math.round((subtotal * 8875) / 100_000);
  const tip = Math.round((subtotal * oneOf(random, [15, 18, 20, 22])) / 100);
  const { d, m, y } = day(random);
  return text(
    centred(shop.name, 38),
    centred(shop.place, 38),
    '',
    `Server: ${oneOf(random, ['Dana', 'Miguel', 'Priya', 'Tom'])}        Table ${between(random, 1, 30)}`,
    `Check #: ${serial}      ${m}/${d}/${y}`,
    '='.repeat(38),
    bought.map(({ name, count, amount }) => row(`${count}  ${name}`, `$${point(amount)}`, 38)),
    '='.repeat(38),
    row('Subtotal', `$${point(subtotal)}`, 38),
    row('Sales Tax 8.875%', `$${point(tax)}`, 38),
    row('Tip', `$${point(tip)}`, 38),
    row('TOTAL', `$${point(subtotal + tax + tip)}`, 38),
    '',
    `MASTERCARD ************${between(random, 1000, 9999)}   APPROVED`,
    centred('Thank you, come again!', 38),
  );
}

function frPharmacie({ random, serial }: Slip): string {
  const shop = visit(random, shops.frPharmacie);
  const bought = buy(random, shops.frPharmacie, 1, 5);
  const total = sum(bought);
  const { d, m, y } = day(random);
  return text(
    shop.name,
    shop.place,
    `SIRET 4${serial} 00017`,
    `Ticket n° P${serial}   le ${d}/${m}/${y} à ${time(random).replace(':', 'h')}`,
    '........................................',
    bought.map(({ name, count, amount }) => row(`${count} ${name}`, `${spaced(amount)} €`, 40)),
    '........................................',
    row('TOTAL TTC', `${spaced(total)} €`, 40),
    row('TVA 5,5 %', `${spaced(taxOf(total, 5.5))} €`, 40),
    row('Part assuré réglée CB', `${spaced(total)} €`, 40),
    'Merci de votre visite, bon rétablissement',
  );
}

function frBistrot({ random, serial }: Slip): string {
  const shop = visit(random, shops.frBistrot);
  const bought = buy(random, shops.frBistrot, 2, 6);
  const tip = random() < 0.4 ? between(random, 2, 8) * 100 : 0;
  const food = sum(bought);
  const vat = taxOf(food, 10);
  const { d, m, y } = day(random);
  return text(
    `*** ${shop.name} ***`,
    shop.place,
    `Note n° ${y}-${serial}`,
    `Date : ${d}/${m}/${y}    Couverts : ${between(random, 1, 6)}`,
    '',
    bought.map(({ name, count, price, amount }) =>
      row(`${count} x ${name}`, count > 1 ? `${spaced(price)}  ${spaced(amount)}` : spaced(amount), 42),
    ),
    '',
    row('Total HT', spaced(food - vat), 42),
    row('TVA 10,0 %', spaced(vat), 42),
    tip > 0 ? [row('Pourboire', spaced(tip), 42)] : [],
    row('NET À PAYER', `${spaced(food + tip)} €`, 42),
    'Service compris - Prix TTC',
    'Merci et à bientôt',
  );
}

function itTrattoria({ random, serial }: Slip): string {
  const shop = visit(random, shops.itTrattoria);
  const covers = between(random, 1, 6);
  const bought = buy(random, shops.itTrattoria, 2, 6);
  const cover = covers * 250;
  const off = random() < 0.25 ? Math.round(sum(bought) / 10) : 0;
  const total = sum(bought) + cover - off;
  const { d, m, y } = day(random);
  return text(
    centred(shop.name, 40),
    centred(shop.place, 40),
    centred(`P.IVA ${String(serial * 7919).padStart(11, '0')}`, 40),
    '',
    centred('DOCUMENTO COMMERCIALE', 40),
    centred('di vendita o prestazione', 40),
    row(`Tavolo ${between(random, 1, 24)}`, 'Prezzo(€)', 40),
    row(`COPERTO X${covers}`, comma(cover), 40),
    bought.map(({ name, count, amount }) => row(count > 1 ? `${name} X${count}` : name, comma(amount), 40)),
    off > 0 ? [row('SCONTO 10%', comma(-off), 40)] : [],
    '',
    row('TOTALE COMPLESSIVO', comma(total), 40),
    row('di cui IVA 10%', comma(taxOf(total, 10)), 40),
    row('Pagamento elettronico', comma(total), 40),
    `${d}-${m}-${y} ${time(random)}`,
    `Documento n. ${serial}-${two(serial % 89)}`,
    'Grazie e arrivederci',
  );
}

function plSklep({ random, serial }: Slip): string {
  const shop = visit(random, shops.plSklep);
  const bought = buy(random, shops.plSklep, 2, 7);
  const off = random() < 0.3 ? between(random, 50, 300) : 0;
  const total = sum(bought) - off;
  const { d, m, y } = day(random);
  return text(
    centred(shop.name, 40),
    centred(shop.place, 40),
    centred(`NIP 779-${two(serial % 90)}-${two(serial % 77)}-${100 + (serial % 900)}`, 40),
    row(`${y}-${m}-${d}`, `Nr wydr. W${serial}`, 40),
    centred('PARAGON FISKALNY', 40),
    bought.map(({ name, count, price, amount }) => row(name, `${count} szt. x${comma(price)}  ${comma(amount)} C`, 40)),
    off > 0 ? [row('OPUST', `${comma(-off)} C`, 40)] : [],
    row('Sprzed. opod. PTU C', comma(total), 40),
    row('PTU C 5,00 %', comma(taxOf(total, 5)), 40),
    row('SUMA PTU', comma(taxOf(total, 5)), 40),
    row('SUMA PLN', spaced(total), 40),
    row('KARTA PŁATNICZA', comma(total), 40),
    centred('Dziękujemy, zapraszamy ponownie', 40),
  );
}

function jaKonbini({ random, serial }: Slip): string {
  const shop = visit(random, shops.jaKonbini);
  const bought = buy(random, shops.jaKonbini, 2, 6);
  const off = random() < 0.3 ? between(random, 10, 50) : 0;
  const total = sum(bought) - off;
  const { d, m, y } = day(random);
  return text(
    centred(shop.name, 36),
    centred(shop.place, 36),
    `登録番号 T${1_000_000_000_000 + serial}`,
    `${y}年${Number(m)}月${Number(d)}日 ${time(random)}  レジ${between(random, 1, 4)}`,
    centred('【領収証】', 36),
    bought.map(({ name, count, amount }) => row(count > 1 ? `${name} ×${count}` : name, `${yen(amount)}軽`, 36)),
    off > 0 ? [row('値引', yen(-off), 36)] : [],
    row('小計', yen(total), 36),
    row('合計', yen(total), 36),
    row('(内消費税 8%', `${yen(taxOf(total, 8))})`, 36),
    row('お預り', yen(Math.ceil(total / 1000) * 1000), 36),
    row('お釣り', yen(Math.ceil(total / 1000) * 1000 - total), 36),
    `レシートNo. ${serial}`,
    centred('ありがとうございました', 36),
  );
}

function seWebshop({ random, serial }: Slip): string {
  const shop = visit(random, shops.seWebshop);
  const bought = buy(random, shops.seWebshop, 1, 4);
  const freight = sum(bought) > 150_000 ? 0 : 4900;
  const off = random() < 0.3 ? Math.round(sum(bought) / 20) : 0;
  const total = sum(bought) + freight - off;
  const { d, m, y } = day(random);
  return text(
    `${shop.name} - Kvitto`,
    `${shop.place}   Orgnr 556${two(serial % 97)}-${1000 + (serial % 9000)}`,
    `Ordernr: SE-${serial}`,
    `Orderdatum: ${y}-${m}-${d}`,
    '',
    bought.map(({ name, count, amount }) => row(`${count} st ${name}`, `${spaced(amount)} kr`, 46)),
    row('Frakt PostNord', `${spaced(freight)} kr`, 46),
    off > 0 ? [row('Rabattkod SOMMAR', `${spaced(-off)} kr`, 46)] : [],
    '',
    row('ATT BETALA', `${spaced(total)} kr`, 46),
    row('varav moms 25 %', `${spaced(taxOf(total, 25))} kr`, 46),
    'Betald med kort. Tack för ditt köp!',
  );
}
