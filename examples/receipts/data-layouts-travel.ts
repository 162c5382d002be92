/**
 * The receipts of a journey: petrol, taxi, hotel. The rules of data-layouts.ts hold here too.
 */
import {
  apostrophe,
  between,
  buy,
  cents,
  comma,
  day,
  oneOf,
  row,
  sum,
  taxOf,
  text,
  time,
  visit,
  type Slip,
} from './data-printing.ts';
import * as shops from './data-shops.ts';

export function esGasolinera({ random, serial }: Slip): string {
  const shop = visit(random, shops.esGasolinera);
  const litresCenti = between(random, 1200, 6400);
  const perLitreMilli = between(random, 1389, 1799);
  const fuel = Math.round((litresCenti * perLitreMilli) / 1000);
  const extras = random() < 0.6 ? buy(random, shops.esGasolinera, 1, 2) : [];
  const total = fuel + sum(extras);
  const vat = taxOf(total, 21);
  const { d, m, y } = day(random);
  return text(
    shop.name,
    shop.place,
    `CIF B-${29_000_000 + serial}`,
    `Factura simplificada: ${y}/${serial}`,
    `Fecha: ${d}-${m}-${y}  Hora: ${time(random)}`,
    `Surtidor ${between(random, 1, 8)}   ${cents(litresCenti, '', ',')} L x ${(perLitreMilli / 1000).toFixed(3).replace('.', ',')} €/L`,
    row(oneOf(random, ['GASÓLEO A', 'SIN PLOMO 95', 'SIN PLOMO 98']), comma(fuel), 36),
    extras.map(({ name, amount }) => row(name, comma(amount), 36)),
    row('TOTAL EUR', comma(total), 36),
    row(`IVA 21% s/ ${comma(total - vat)}`, comma(vat), 36),
    `Tarjeta **** ${between(random, 1000, 9999)}`,
    'Gracias por su visita. Buen viaje.',
  );
}

export function esTaxi({ random, serial }: Slip): string {
  const shop = visit(random, shops.esTaxi);
  const ride = between(random, 780, 4890);
  const extras = random() < 0.7 ? buy(random, shops.esTaxi, 1, 2) : [];
  const tip = random() < 0.5 ? between(random, 1, 5) * 50 : 0;
  const total = ride + sum(extras) + tip;
  const { d, m, y } = day(random);
  return text(
    shop.name,
    `${shop.place} · NIF ${50_000_000 + serial}X`,
    `Recibo n.º ${serial}`,
    `${d}/${m}/${y.slice(2)}  ${time(random)}  ${between(random, 2, 28)},${between(random, 0, 9)} km  Tarifa ${between(random, 1, 3)}`,
    row('Importe carrera', `${comma(ride)} €`, 32),
    extras.map(({ name, amount }) => row(name, `${comma(amount)} €`, 32)),
    tip > 0 ? [row('Propina', `${comma(tip)} €`, 32)] : [],
    row('TOTAL', `${comma(total)} €`, 32),
    'IVA 10% incluido',
    '¡Gracias!',
  );
}

export function chHotel({ random, serial }: Slip): string {
  const shop = visit(random, shops.chHotel);
  const nights = between(random, 1, 7);
  const perNight = between(random, 145, 390) * 100;
  const extras = buy(random, shops.chHotel, 1, 4);
  const total = nights * perNight + sum(extras);
  const { d, m, y } = day(random);
  return text(
    shop.name,
    shop.place,
    `Rechnung Nr. ${y}/${serial}                      ${d}.${m}.${y}`,
    `Gast: Familie ${oneOf(random, ['Ammann', 'Bühler', 'Rossi', 'Favre', 'Güntert'])}   Zimmer ${between(random, 101, 420)}`,
    '_'.repeat(52),
    row(`Übernachtung ${nights} Nacht/Nächte à ${apostrophe(perNight)}`, apostrophe(nights * perNight), 52),
    extras.map(({ name, count, amount }) => row(count > 1 ? `${name} (${count})` : name, apostrophe(amount), 52)),
    '_'.repeat(52),
    row('Gesamtbetrag CHF', apostrophe(total), 52),
    row('MwSt 3,8% inbegriffen', apostrophe(taxOf(total, 3.8)), 52),
    'Besten Dank für Ihren Besuch',
  );
}
