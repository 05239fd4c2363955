// Fields of the OnderwijsTransparant proposal, and the one extension: POST /hulpvragen (docs/decisions, "Melden aan OnderwijsTransparant").
const text = (max, more = {}) => ({ type: 'string', max, ...more });
const need = (field) => ({ ...field, required: true });
const date = { type: 'date' };
const count = { type: 'integer', min: 0 };
const boolean = { type: 'boolean' };

export const STATUS_MELDING = {
  status: need(text(40, { values: ['in_behandeling', 'aanvulling_nodig', 'besproken', 'toegekend', 'afgewezen', 'afgesloten'] })), tijdstip: need({ type: 'datetime' }),
  toelichting: text(2000), zaakkenmerk: text(60), overleg: { type: 'object', fields: { datum: date, documentenUiterlijk: date } },
};
// `gegevens` is the payload of the message as the broker's own schema has it; only what identifies the melding is fixed here.
export const MELDING = {
  dossierkenmerk: need(text(60)), soort: need(text(40, { values: ['hulpvraagmelding', 'oza_melding_swv'] })), swvCode: need(text(6, { pattern: /^(PO|VO)[0-9]{4}$/ })),
  berichtId: need(text(200)), tijdstip: need({ type: 'datetime' }), gegevens: need({ type: 'object', open: true, fields: {} }),
};
export const HULPVRAAG = {
  dossierkenmerk: text(60), swvCode: need(text(6, { pattern: /^(PO|VO)[0-9]{4}$/ })),
  school: need({ type: 'object', fields: { brin: need(text(4, { pattern: /^[0-9]{2}[A-Z]{2}$/ })), vestiging: need(text(2, { pattern: /^[0-9]{2}$/ })), naam: need(text(200)) } }),
  melder: need({ type: 'object', fields: { naam: need(text(200)), rol: need(text(40, { values: ['intern_begeleider', 'zorgcoordinator', 'directeur', 'overig'] })), email: need({ type: 'email' }), telefoon: text(30) } }),
  leerling: need({ type: 'object', fields: {
    leerlingkenmerk: need(text(64)), voornamen: need({ type: 'array', min: 1, of: text(200) }), roepnaam: text(200), voorvoegsel: text(50), achternaam: need(text(200)), geboortedatum: need(date),
    geslacht: need(text(1, { values: ['0', '1', '2', '9'] })), adresGeheim: boolean, woongemeente: text(4, { pattern: /^[0-9]{4}$/ }), groepOfLeerjaar: text(20) } }),
  soortAanvraag: need(text(40, { values: ['consultatie', 'arrangement', 'tlv_nieuw', 'tlv_verlenging', 'onderwijs_zorgarrangement', 'thuiszitter'] })),
  hulpvraag: need({ type: 'object', fields: { omschrijving: need(text(8000)), onderwijsbehoeften: text(8000), eerdereInterventies: text(8000), gewensteOndersteuning: text(8000), urgentie: text(10, { values: ['normaal', 'hoog', 'crisis'] }), zorgBetrokken: boolean } }),
  ouders: need({ type: 'object', fields: { geinformeerd: need(boolean), toestemming: need(text(12, { values: ['ja', 'nee', 'niet_nodig'] })), toestemmingDatum: date, zienswijze: text(4000) } }),
  verzuim: { type: 'object', fields: { dagdelenGeoorloofd: count, dagdelenOngeoorloofd: count, urenGeoorloofd: count, urenOngeoorloofd: count, contactLeerplicht: boolean } },
};
