// The verzuim contract as element tables, in the order of its schema. A proposal in DUO's house style: the real contract is not public.
export const NS = 'urn:oza:proposal:duo-verzuim:v1';
export const CONTRACT = 'urn:oza:proposal:contract:duo-verzuim:v1';
const text = (max, more = {}) => ({ max, ...more });
const optional = (rule) => ({ ...rule, optional: true });
const uuid = { pattern: /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/ };
const brin = { pattern: /^[0-9]{2}[A-Z]{2}$/ };
const date = { type: 'date' };
const dateTime = { type: 'dateTime' };
const boolean = { type: 'boolean' };
const number = { pattern: /^[0-9]{1,18}$/ };
const pgn = { pattern: /^[0-9]{9}$/ };

const head = [['identificatiecodeBedrijfsdocument', uuid], ['verzendendeInstantie', text(22, { min: 3 })], ['ontvangendeInstantie', text(22, { min: 3 })], ['datumTijdBedrijfsdocument', dateTime]];
const melding = { rows: [
  ['brin', brin], ['vestiging', optional({ pattern: /^[0-9]{2}[A-Z]{2}[0-9]{2}$/ })],
  ['onderwijsontvanger', { rows: [['burgerservicenummer of onderwijsnummer', { optional: true, choice: [['burgerservicenummer', pgn], ['onderwijsnummer', pgn]] }], ['leerlingkenmerk', optional(text(200))]] }],
  ['soortOpleiding', optional({ values: ['PO', 'SO', 'VO', 'BVE'] })], ['leerjaar', optional({ pattern: /^[1-9][0-9]*$/ })],
  ['verzuimsoort', { values: ['V1', 'V2', 'V3', 'V4', 'LRV', 'L', 'RMC', 'O'] }], ['datumBeginVerzuim', date], ['datumEindVerzuim', optional(date)],
  ['vermoedelijkeReden', text(200)], ['toelichting', optional(text(3000))], ['actieGewenst', boolean], ['toelichtingActieGewenst', optional(text(3000))], ['toelichtingOndernomenActie', optional(text(3000))],
  ['alleLessenGemist', optional(boolean)],
  ['verzuimdag', { optional: true, many: 100, rows: [['datum', date], ['heleDag', boolean], ['lesuur', { optional: true, many: 12, pattern: /^([1-9]|1[0-2])$/ }]] }],
  ['contactpersoon', { rows: [['naam', text(200)], ['functie', optional(text(200))], ['emailadres', text(200)], ['telefoonnummer', optional(text(200))]] }],
] };
export const OPERATIONS = {
  aanleverenVerzuimmelding: [...head, ['melding', melding]],
  wijzigenVerzuimmelding: [...head, ['meldingsnummer', number], ['tijdstipLaatsteMutatie', dateTime], ['melding', melding]],
  intrekkenVerzuimmelding: [...head, ['meldingsnummer', number], ['reden', text(200)]],
  ophalenGewijzigdeVerzuimmeldingen: [...head, ['brin', { ...brin, many: 500 }], ['gewijzigdVanaf', dateTime], ['maxAantal', optional({ pattern: /^[1-9][0-9]{0,2}$/ })]],
  bevestigenOntvangst: [...head, ['bevestigdTotEnMet', dateTime]],
};
