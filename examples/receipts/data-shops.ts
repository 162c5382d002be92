/**
 * The invented shops that the example receipts come from, with what they sell. Owns names and price ranges; how a
 * receipt looks is in data-layouts.ts. No shop, address or tax number here is real.
 */

/** Something on sale: its name and the range of its price in minor units. */
export type Ware = readonly [name: string, priceMin: number, priceMax: number];

export interface Shop {
  /** Branches: the nth name is at the nth place. */
  readonly names: readonly string[];
  readonly places: readonly string[];
  /** Prices are multiples of `step` plus `ending`, as every country has its habit. */
  readonly step: number;
  readonly ending: number;
  readonly wares: readonly Ware[];
}

export const deSupermarkt: Shop = {
  step: 10,
  ending: 9,
  names: ['FRISCHMARKT SÜD', 'Kaufhalle Lindner', 'BIO-ECKE GRÜNWALD'],
  places: ['Königstraße 14, 70173 Stuttgart', 'Müllerweg 3, 80469 München', 'Große Bleichen 21, 20354 Hamburg'],
  wares: [
    ['Vollmilch 3,5% 1L', 109, 139],
    ['Bergkäse 200g', 279, 449],
    ['Brötchen 6er', 119, 199],
    ['Äpfel Elstar', 199, 399],
    ['Haferflocken zart', 89, 159],
    ['Kaffee gemahlen', 549, 899],
    ['Spülmittel', 125, 235],
    ['Weißwein Riesling', 499, 1099],
    ['Gemüsebrühe', 149, 289],
    ['Küchenrollen 4er', 249, 399],
    ['Möhren 1kg', 99, 149],
  ],
};

export const gbGrocer: Shop = {
  step: 5,
  ending: 0,
  names: ['HARROW & PINE GROCERS', 'Thistle Street Stores', 'THE CORNER LARDER'],
  places: ['12 Mill Lane, York YO1 7PZ', '48 Thistle Street, Edinburgh EH2 1EN', '3 Castle Row, Bath BA1 2LT'],
  wares: [
    ['SEMI SKIMMED MILK 2PT', 120, 155],
    ['MATURE CHEDDAR 350G', 275, 420],
    ['SOURDOUGH LOAF', 210, 360],
    ['PG TEA BAGS 80', 295, 385],
    ['BRAEBURN APPLES', 165, 240],
    ['BAKED BEANS X4', 300, 425],
    ['SALTED BUTTER', 189, 265],
    ['MARMALADE', 180, 320],
    ['FREE RANGE EGGS 12', 285, 340],
    ['DIGESTIVES', 110, 175],
  ],
};

export const usDiner: Shop = {
  step: 50,
  ending: 45,
  names: ["MABEL'S DINER", 'Blue Heron Grill', 'LOU & SONS SMOKEHOUSE'],
  places: ['214 Water St, Brooklyn, NY 11201', '77 Harbor Ave, Portland, ME 04101', '901 E 6th St, Austin, TX 78702'],
  wares: [
    ['Cheeseburger Deluxe', 1295, 1695],
    ['Clam Chowder', 850, 1150],
    ['Caesar Salad', 995, 1395],
    ['Brisket Plate', 1895, 2650],
    ['Iced Tea', 325, 450],
    ['Draft IPA', 700, 950],
    ['Key Lime Pie', 750, 925],
    ['Party Platter (12)', 9800, 18900],
    ['Short Stack', 895, 1150],
  ],
};

export const frPharmacie: Shop = {
  step: 10,
  ending: 0,
  names: ['Pharmacie de la Cathédrale', 'PHARMACIE DES QUATRE CHEMINS', 'Pharmacie Lefèvre'],
  places: ['8 rue Mercière, 67000 Strasbourg', '115 avenue Jean-Jaurès, 69007 Lyon', '2 place du Marché, 35000 Rennes'],
  wares: [
    ['PARACÉTAMOL 1G 8CP', 118, 235],
    ['SÉRUM PHYSIOLOGIQUE', 299, 590],
    ['CRÈME SOLAIRE SPF50', 1290, 1990],
    ['PASTILLES GORGE', 545, 820],
    ['PANSEMENTS ASSORTIS', 310, 560],
    ['VITAMINE D3', 690, 1240],
    ['SIROP TOUX SÈCHE', 480, 795],
    ['BROSSE À DENTS', 350, 690],
  ],
};

export const frBistrot: Shop = {
  step: 50,
  ending: 0,
  names: ['Au Bœuf Tranquille', 'Bistrot du Canal', 'LE PETIT ZINC'],
  places: ['17 quai de Valmy, 75010 Paris', '4 rue Sainte-Colombe, 33000 Bordeaux', '31 cours Julien, 13006 Marseille'],
  wares: [
    ['Œuf mayonnaise', 650, 890],
    ['Steak frites', 1690, 2250],
    ['Magret de canard', 1990, 2690],
    ['Crème brûlée', 750, 950],
    ['Pichet de rosé 50cl', 1100, 1500],
    ['Café gourmand', 850, 1090],
    ['Eau pétillante 1L', 450, 650],
    ['Menu groupe (10 pers.)', 32000, 45000],
  ],
};

export const esGasolinera: Shop = {
  step: 5,
  ending: 0,
  names: ['GASOLINERA EL PEÑÓN', 'Estación de servicio Río Seco', 'GASOLINERA HNOS. NÚÑEZ'],
  places: [
    'Ctra. N-340 km 112, 18600 Motril',
    'Av. de la Constitución 9, 41004 Sevilla',
    'Pol. Ind. Las Viñas 2, 26006 Logroño',
  ],
  wares: [
    ['AGUA MINERAL 1,5L', 95, 165],
    ['BOCADILLO JAMÓN', 350, 520],
    ['LIMPIAPARABRISAS 2L', 495, 790],
    ['CAFÉ CON LECHE', 140, 195],
    ['CHICLES MENTA', 120, 180],
  ],
};

export const esTaxi: Shop = {
  step: 5,
  ending: 0,
  names: ['TAXI - Licencia 07341', 'Radio Taxi Levante - Licencia 1188', 'TAXI AEROPUERTO - Licencia 15206'],
  places: ['Madrid', 'València', 'Málaga'],
  wares: [
    ['Suplemento aeropuerto', 550, 550],
    ['Suplemento maletas', 100, 300],
    ['Peaje autopista', 425, 870],
  ],
};

export const itTrattoria: Shop = {
  step: 50,
  ending: 0,
  names: ['TRATTORIA DA CESARE S.R.L.', 'Osteria del Ponte Vecchio', "TRATTORIA L'ULIVO"],
  places: ['Via dei Coronari 88, 00186 Roma', 'Borgo San Jacopo 5, 50125 Firenze', 'Via Garibaldi 41, 16124 Genova'],
  wares: [
    ['TAGLIATELLE RAGÙ', 1100, 1500],
    ['BISTECCA FIORENTINA', 4200, 6800],
    ['CAPRESE', 850, 1150],
    ['TIRAMISÙ', 550, 750],
    ['CHIANTI BOTT.', 1800, 3200],
    ['ACQUA FRIZZANTE', 250, 350],
    ['CAFFÈ', 130, 200],
    ['LIMONCELLO', 350, 500],
  ],
};

export const plSklep: Shop = {
  step: 10,
  ending: 9,
  names: ['SKLEP SPOŻYWCZY "ŻABI RÓG"', 'Delikatesy Pod Dębem', 'MARKET U KRZYŚKA'],
  places: ['ul. Święty Marcin 24, 61-805 Poznań', 'ul. Długa 7, 80-831 Gdańsk', 'ul. Piękna 18, 00-549 Warszawa'],
  wares: [
    ['CHLEB ŻYTNI', 449, 799],
    ['MLEKO 2% 1L', 329, 459],
    ['SER ŻÓŁTY GOUDA', 899, 1699],
    ['KIEŁBASA ŚLĄSKA', 1290, 2490],
    ['OGÓRKI KISZONE', 599, 999],
    ['MASŁO EKSTRA', 649, 899],
    ['PIEROGI RUSKIE', 1199, 1899],
    ['SOK JABŁKOWY', 399, 699],
  ],
};

export const jaKonbini: Shop = {
  step: 1,
  ending: 0,
  names: ['さくらマート 神田店', 'こまどりストア 京都四条店', 'みなと便 横浜関内店'],
  places: ['東京都千代田区神田須田町1-8', '京都府京都市下京区長刀鉾町22', '神奈川県横浜市中区港町3-14'],
  wares: [
    ['おにぎり 鮭', 138, 168],
    ['サンドイッチ ハム卵', 258, 328],
    ['緑茶 600ml', 118, 158],
    ['からあげ弁当', 498, 648],
    ['メロンパン', 128, 158],
    ['アイスコーヒーM', 150, 180],
    ['プリン', 148, 228],
    ['ギフト詰合せ', 2980, 5980],
  ],
};

export const chHotel: Shop = {
  step: 50,
  ending: 0,
  names: ['Hotel Drei Könige am See', 'Berghotel Alpenrösli', 'GASTHOF ZUR GLOCKE'],
  places: ['Seestrasse 40, 6052 Hergiswil', 'Dorfplatz 1, 3818 Grindelwald', 'Rathausgasse 12, 3011 Bern'],
  wares: [
    ['Frühstücksbuffet', 2400, 3200],
    ['Minibar', 850, 4200],
    ['Abendessen Halbpension', 4800, 6900],
    ['Parkplatz', 1500, 2500],
    ['Wellness & Sauna', 3000, 5500],
    ['Wäscheservice', 1800, 3600],
  ],
};

export const seWebshop: Shop = {
  step: 1000,
  ending: 900,
  names: ['Nordljus Inredning AB', 'Fjällboden.example', 'SKÅNE CYKEL & FRITID'],
  places: ['Storgatan 8, 903 26 Umeå', 'Kungsgatan 55, 411 15 Göteborg', 'Östergatan 2, 211 25 Malmö'],
  wares: [
    ['Ullfilt grå 130x170', 59900, 89900],
    ['Ljusstake mässing', 24900, 44900],
    ['Vandringskängor stl 42', 129900, 219900],
    ['Termos 0,7 l', 29900, 39900],
    ['Cykelhjälm blå', 49900, 99900],
    ['Regnjacka dam', 79900, 159900],
  ],
};
