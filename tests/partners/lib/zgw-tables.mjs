// What the ZGW simulator checks bodies against, and the catalogue it serves. Written from the field descriptions of Zaken 1.5.1,
// Documenten 1.4 and Catalogi 1.3 and their run-time rules (zrc-nnn, drc-nnn).
import { uuidOf } from './partner.mjs';

export const CONFIDENTIALITY = ['openbaar', 'beperkt_openbaar', 'intern', 'zaakvertrouwelijk', 'vertrouwelijk', 'confidentieel', 'geheim', 'zeer_geheim'];
const url = { type: 'url' };
const text = (max, more = {}) => ({ type: 'string', max, ...more });
const need = (field) => ({ ...field, required: true });

export const ZAAK = {
  identificatie: text(40, { pattern: /^[ -~]+$/ }), bronorganisatie: need({ type: 'rsin' }), omschrijving: text(80), toelichting: text(1000), zaaktype: need(url),
  registratiedatum: { type: 'date' }, verantwoordelijkeOrganisatie: need({ type: 'rsin' }), startdatum: need({ type: 'date' }),
  einddatum: { type: 'date', readOnly: true, nullable: true }, einddatumGepland: { type: 'date', nullable: true }, uiterlijkeEinddatumAfdoening: { type: 'date', nullable: true },
  publicatiedatum: { type: 'date', nullable: true }, communicatiekanaal: url, productenOfDiensten: { type: 'array', of: url },
  vertrouwelijkheidaanduiding: { type: 'string', values: CONFIDENTIALITY }, betalingsindicatie: { type: 'string', values: ['nvt', 'nog_niet', 'gedeeltelijk', 'geheel'] },
  hoofdzaak: { type: 'url', nullable: true }, selectielijstklasse: url,
  kenmerken: { type: 'array', fields: { kenmerk: need(text(40)), bron: need(text(40)) } },
};
export const ZAAK_PATCH = Object.fromEntries(Object.entries(ZAAK).map(([k, v]) => [k, { ...v, required: false }]));
export const STATUS = { zaak: need(url), statustype: need(url), datumStatusGezet: need({ type: 'datetime' }), statustoelichting: text(1000), gezetdoor: url };
export const RESULTAAT = { zaak: need(url), resultaattype: need(url), toelichting: text(1000) };
export const EIGENSCHAP = { zaak: need(url), eigenschap: need(url), waarde: need({ type: 'string', max: 1000 }) };
export const EIGENSCHAP_PATCH = Object.fromEntries(Object.entries(EIGENSCHAP).map(([k, v]) => [k, { ...v, required: false }]));
export const ZIO = { zaak: need(url), informatieobject: need(url), titel: text(200), beschrijving: text(1000), vernietigingsdatum: { type: 'datetime', nullable: true }, status: url };
const PERSON = {
  inpBsn: { type: 'bsn' }, anpIdentificatie: text(17), inpA_nummer: text(10), geslachtsnaam: text(200), voorvoegselGeslachtsnaam: text(80), voorletters: text(20),
  voornamen: text(200), geslachtsaanduiding: { type: 'string', values: ['m', 'v', 'o'] }, geboortedatum: text(18),
};
export const BETROKKENE = {
  natuurlijk_persoon: PERSON,
  niet_natuurlijk_persoon: { innNnpId: { type: 'rsin' }, annIdentificatie: text(17), statutaireNaam: text(500), innRechtsvorm: text(60), bezoekadres: text(1000), kvkNummer: text(8) },
  vestiging: { vestigingsNummer: text(24), handelsnaam: { type: 'array', of: text(625) }, kvkNummer: text(8) },
  organisatorische_eenheid: { identificatie: text(24), naam: text(50), isGehuisvestIn: text(200) },
  medewerker: { identificatie: text(24), achternaam: text(200), voorletters: text(20), voorvoegselAchternaam: text(10) },
};
export const ROL = {
  zaak: need(url), betrokkene: url, betrokkeneType: need({ type: 'string', values: Object.keys(BETROKKENE) }), afwijkendeNaamBetrokkene: text(625), roltype: need(url),
  roltoelichting: need(text(1000)), indicatieMachtiging: { type: 'string', values: ['gemachtigde', 'machtiginggever'] },
  contactpersoonRol: { type: 'object', open: true, fields: {} }, betrokkeneIdentificatie: { type: 'object', open: true, fields: {} },
};
export const EIO = {
  identificatie: text(40), bronorganisatie: need({ type: 'rsin' }), creatiedatum: need({ type: 'date' }), titel: need(text(200)),
  vertrouwelijkheidaanduiding: { type: 'string', values: CONFIDENTIALITY }, auteur: need(text(200)), status: { type: 'string', values: ['in_bewerking', 'ter_vaststelling', 'definitief', 'gearchiveerd'] },
  formaat: text(255), taal: need({ type: 'string', pattern: /^[a-z]{3}$/, max: 3 }), bestandsnaam: text(255), inhoud: { type: 'string', nullable: true, max: 48 * 1024 * 1024 },
  bestandsomvang: { type: 'integer', min: 0, nullable: true }, link: url, beschrijving: text(1000), ontvangstdatum: { type: 'date', nullable: true }, verzenddatum: { type: 'date', nullable: true },
  indicatieGebruiksrecht: { type: 'boolean', nullable: true }, ondertekening: { type: 'object', open: true, fields: {}, nullable: true },
  integriteit: { type: 'object', nullable: true, fields: { algoritme: need({ type: 'string', values: ['crc_16', 'crc_32', 'crc_64', 'fletcher_4', 'fletcher_8', 'fletcher_16', 'fletcher_32', 'hmac', 'md5', 'sha_1', 'sha_256', 'sha_512', 'sha_3'] }), waarde: need(text(128)), datum: need({ type: 'date' }) } },
  informatieobjecttype: need(url), trefwoorden: { type: 'array', of: text(100) },
};
export const EIO_PATCH = { ...Object.fromEntries(Object.entries(EIO).map(([k, v]) => [k, { ...v, required: false }])), lock: need(text(100)) };
export const GEBRUIKSRECHT = { informatieobject: need(url), startdatum: need({ type: 'datetime' }), einddatum: { type: 'datetime', nullable: true }, omschrijvingVoorwaarden: need(text(100000)) };

export const DOCUMENT_TYPES = ['Groeidocument', 'OPP', 'Handelingsplan', 'LVS-gegevens', 'Evaluatie', 'OZA-werkdocument', 'Gezamenlijk plan', 'Gezinsplan', 'Profiel begeleider', 'Overig'];

/** The catalogue, published: zaaktype OZA with its types, and a second zaaktype so that a mix-up can be told apart. */
export function catalogue(base) {
  const root = `${base}/catalogi/api/v1`;
  const rows = { catalogussen: [], zaaktypen: [], statustypen: [], roltypen: [], eigenschappen: [], resultaattypen: [], informatieobjecttypen: [], 'zaaktype-informatieobjecttypen': [] };
  const add = (kind, name, fields) => {
    const row = { url: `${root}/${kind}/${uuidOf(`${kind}:${name}`)}`, ...fields };
    rows[kind].push(row);
    return row.url;
  };
  const catalogus = add('catalogussen', 'jeugd', { domein: 'JEUGD', rsin: '517439943', naam: 'Jeugd en onderwijs' });
  const documents = [...DOCUMENT_TYPES, 'Concepttype'].map((omschrijving) => add('informatieobjecttypen', omschrijving, {
    catalogus, omschrijving, vertrouwelijkheidaanduiding: 'zaakvertrouwelijk', beginGeldigheid: '2020-01-01', eindeGeldigheid: null, concept: omschrijving === 'Concepttype',
  }));
  for (const [identificatie, omschrijving, offset] of [['OZA', 'Onderwijszorgarrangement', 0], ['LEERPLICHT', 'Leerplichtmelding', 1]]) {
    const zaaktype = add('zaaktypen', identificatie, {
      catalogus, identificatie, omschrijving, vertrouwelijkheidaanduiding: 'zaakvertrouwelijk', doel: 'Passende hulp en onderwijs', aanleiding: 'Documenten van school voor een overleg',
      indicatieInternOfExtern: 'extern', handelingInitiator: 'aanmelden', onderwerp: omschrijving, handelingBehandelaar: 'behandelen', doorlooptijd: 'P56D',
      opschortingEnAanhoudingMogelijk: false, verlengingMogelijk: false, publicatieIndicatie: false, productenOfDiensten: [], beginGeldigheid: '2020-01-01', eindeGeldigheid: null, versiedatum: '2020-01-01', concept: false,
    });
    ['Aangemeld', 'In behandeling', 'Besluit genomen', 'Afgesloten'].forEach((name, i) => add('statustypen', `${identificatie}:${name}`, { omschrijving: name, zaaktype, volgnummer: i + 1, isEindstatus: i === 3, informeren: false }));
    for (const [name, generiek] of [['Jeugdige', 'belanghebbende'], ['School', 'initiator'], ['Behandelaar', 'behandelaar']]) add('roltypen', `${identificatie}:${name}`, { zaaktype, omschrijving: name, omschrijvingGeneriek: generiek });
    for (const [name, formaat] of [['Overlegdatum', 'datum'], ['Overlegsoort', 'tekst'], ['Regio', 'tekst'], ['Aangeleverd door', 'tekst'], ['Systeem', 'tekst']]) add('eigenschappen', `${identificatie}:${name}`, { naam: name, definitie: name, zaaktype, specificatie: { groep: '', formaat, lengte: '40', kardinaliteit: '1', waardenverzameling: [] } });
    for (const name of ['Toegekend', 'Afgewezen']) add('resultaattypen', `${identificatie}:${name}`, { zaaktype, omschrijving: name });
    if (offset === 0) DOCUMENT_TYPES.forEach((name, i) => add('zaaktype-informatieobjecttypen', `${identificatie}:${name}`, { zaaktype, informatieobjecttype: documents[i], volgnummer: i + 1, richting: 'inkomend' }));
  }
  return rows;
}
