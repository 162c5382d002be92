/**
 * What receipts say in each language: the words that give a language away and the labels of the lines that matter.
 * Owns the vocabulary; knows nothing of parsing, files or money.
 *
 * V1  A line is tried against `subtotal` before `total`: in most languages the first word contains the second.
 * V2  `number` has one capture group, the receipt number itself.
 */

/** ISO 639-1 code of a language a receipt may be written in. */
export type LanguageCode = 'de' | 'en' | 'es' | 'fr' | 'it' | 'ja' | 'pl' | 'sv';

/** The vocabulary of one language. Labels are matched at the start of a trimmed line. */
export interface Language {
  readonly code: LanguageCode;
  /** Words that hardly any other language prints on a receipt; the language with most of them wins. */
  readonly signs: readonly RegExp[];
  readonly dateOrder: 'dmy' | 'mdy' | 'ymd';
  readonly subtotal: RegExp;
  readonly total: RegExp;
  /** How a total is written where it has to be put in. */
  readonly totalLabel: string;
  readonly tip: RegExp;
  readonly tax: RegExp;
  readonly number: RegExp;
}

/** Every language the parser reads. */
const languages: readonly Language[] = [
  {
    code: 'de',
    signs: [/\bSUMME\b/i, /\bMwSt\b/i, /Rechnung/i, /\bBon-Nr/i, /Gesamt/i, /Vielen Dank/i, /Zimmer/i],
    dateOrder: 'dmy',
    subtotal: /^(Zwischensumme|Netto)/i,
    total: /^(SUMME|GESAMT|Gesamtbetrag|Rechnungsbetrag)/i,
    totalLabel: 'SUMME',
    tip: /^Trinkgeld/i,
    tax: /^(MwSt|[AB]\s*=?\s*\d+,\d%)/i,
    number: /(?:Bon-Nr\.?|Rechnung Nr\.?)\s*:?\s*(\S+)/i,
  },
  {
    code: 'en',
    signs: [/\bVAT\b/, /Receipt/i, /Thank you/i, /\bServer:/, /Check #/, /Sales Tax/i, /Subtotal/i, /\bCHANGE\b/i],
    dateOrder: 'dmy',
    subtotal: /^(Subtotal|Sub-total|Goods net)/i,
    total: /^(TOTAL|Balance due|Amount due)/i,
    totalLabel: 'TOTAL',
    tip: /^(Tip|Gratuity)/i,
    tax: /^(Sales Tax|VAT)/i,
    number: /(?:Receipt No\.?|Check #)\s*:\s*(\S+)/i,
  },
  {
    code: 'fr',
    signs: [/\bTVA\b/, /Pharmacie/i, /\bTTC\b/, /Ticket n°/i, /Merci/i, /Addition/i, /Couverts/i],
    dateOrder: 'dmy',
    subtotal: /^(Sous-total|Total HT)/i,
    total: /^(TOTAL TTC|NET À PAYER|TOTAL)/i,
    totalLabel: 'TOTAL TTC',
    tip: /^Pourboire/i,
    tax: /^(dont )?TVA/i,
    number: /(?:Ticket n°|Note n°|Facture n°)\s*:?\s*(\S+)/i,
  },
  {
    code: 'es',
    signs: [
      /\bIVA\b/,
      /Gasolinera|Estación de servicio/i,
      /\bTaxi\b.*Licencia|Licencia/i,
      /Gracias/i,
      /Recibo/i,
      /Importe/i,
    ],
    dateOrder: 'dmy',
    subtotal: /^(Subtotal|Base imponible)/i,
    total: /^(TOTAL|Importe total)/i,
    totalLabel: 'TOTAL',
    tip: /^Propina/i,
    tax: /^IVA/i,
    number: /(?:Recibo|Factura simplificada|N\.º)\s*(?:n\.º)?\s*:?\s*(\S*\d\S*)/i,
  },
  {
    code: 'it',
    signs: [/Documento commerciale/i, /Coperto/i, /\bdi cui IVA\b/i, /Grazie/i, /Trattoria|Osteria/i, /Tavolo/i],
    dateOrder: 'dmy',
    subtotal: /^(Subtotale|Imponibile)/i,
    total: /^TOTALE/i,
    totalLabel: 'TOTALE',
    tip: /^Mancia/i,
    tax: /^(di cui )?IVA/i,
    number: /(?:Doc\.? n\.|Documento n\.)\s*:?\s*(\S+)/i,
  },
  {
    code: 'pl',
    signs: [/PARAGON/i, /\bNIP\b/, /\bPTU\b/, /SUMA/i, /Dziękujemy/i, /szt\./i],
    dateOrder: 'ymd',
    subtotal: /^(Sprzed|Podsuma)/i,
    total: /^SUMA PLN/i,
    totalLabel: 'SUMA PLN',
    tip: /^Napiwek/i,
    tax: /^(SUMA )?PTU/i,
    number: /(?:Nr wydr\.|Paragon nr)\s*:?\s*(\S+)/i,
  },
  {
    code: 'ja',
    signs: [/合計/, /領収/, /消費税/, /ありがとう/, /お預り/, /レシート/],
    dateOrder: 'ymd',
    subtotal: /^小計/,
    total: /^合\s*計/,
    totalLabel: '合計',
    tip: /^チップ/,
    tax: /^[（(]?(内)?消費税/,
    number: /(?:レシートNo\.?|領収No\.?)\s*[:：]?\s*(\S+)/,
  },
  {
    code: 'sv',
    signs: [/\bMoms\b/i, /Kvitto/i, /Att betala/i, /Tack för/i, /Frakt/i, /Orgnr/i],
    dateOrder: 'ymd',
    subtotal: /^(Delsumma|Netto)/i,
    total: /^(ATT BETALA|Totalt)/i,
    totalLabel: 'ATT BETALA',
    tip: /^Dricks/i,
    tax: /^(varav )?Moms/i,
    number: /(?:Ordernr|Kvittonr)\s*:?\s*(\S+)/i,
  },
];

/** The language whose signs occur most often; undefined when none has at least two. */
export function detectLanguage(text: string): Language | undefined {
  let best: Language | undefined;
  let bestHits = 1;
  for (const language of languages) {
    const hits = language.signs.filter((sign) => sign.test(text)).length;
    if (hits > bestHits) [best, bestHits] = [language, hits];
  }
  return best;
}
