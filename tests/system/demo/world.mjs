// The world of the demo: fictional organisations, the simulated partners and the broker's configuration that knows them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const OIN = {
  school: '0000000700000YY00000', gemeente: '00000099000100001000', swv: '00000099000100002000', zorgaanbieder: '00000099000100004000',
  onderwijstransparant: '00000099000100092000', duo: '00000099000100093000',
};
export const BSN = '999990020';
export const ORGANISATIONS = {
  gemeente: { payer_role: 'gemeente', name: 'Gemeente Zandoever', oin: OIN.gemeente, iban: 'NL19TEST0001000001', street: 'Fictiestraat 1', postcode: '1001 XX', city: 'Zandoever', mail: 'crediteuren@gemeente-zandoever.example', buyer_reference: 'OZA' },
  swv: { payer_role: 'swv', name: 'SWV Kop van Noord-Holland', kvk: '90000002', iban: 'NL89TEST0001000002', street: 'Fictiestraat 2', postcode: '1002 XX', city: 'Zandoever', mail: 'oza@swvkopvannoordholland.nl', buyer_reference: 'OZA' },
  zorgaanbieder: { payer_role: 'zorgaanbieder', name: 'Zorgaanbieder De Verzonnen Hoeve Zandoever', kvk: '90000004', iban: 'NL35TEST0001000004', street: 'Fictiestraat 4', postcode: '1004 XX', city: 'Zandoever', mail: 'administratie@zorgaanbieder-zandoever.example' },
};
export const PEOPLE = {
  'ib-1': { rol: 'school_ib', naam: 'Fictieve Intern Begeleider', mail: 'ib@papieren-schip.example', tweedeFactor: 'sms:+31600000001' },
  'ortho-1': { rol: 'orthopedagoog', naam: 'Fictieve Orthopedagoog', mail: 'orthopedagoog@swv.example', tweedeFactor: 'sms:+31600000002' },
  'jhd-1': { rol: 'jeugdhulpdeskundige', naam: 'Fictieve Jeugdhulpdeskundige', mail: 'jeugdhulp@gemeente-zandoever.example', tweedeFactor: 'sms:+31600000003' },
  'lpa-1': { rol: 'leerplichtambtenaar', naam: 'Fictieve Leerplichtambtenaar', mail: 'leerplicht@gemeente-zandoever.example', tweedeFactor: 'sms:+31600000004' },
};

/** One number per place, from `base` on. Interfaces of partners that speak TLS have their own port beside the page. */
export function ports(base) {
  const names = ['api', 'portaal', 'gezondheid', 'postbus', 'zaaksysteem', 'sms', 'duo', 'onderwijstransparant', 'zorgaanbieder', 'webhook', 'smtp',
    'zaaksysteem_tls', 'duo_tls', 'onderwijstransparant_tls', 'zorgaanbieder_tls', 'webhook_tls'];
  return Object.fromEntries(names.map((name, i) => [name, base + i]));
}

export function parties() {
  const grant = (roles, types = ['*']) => [{ roles, types, regions: ['KNH'] }];
  const at = (roles, kinds, adapter, address = {}) => ({ roles, regions: ['KNH'], kinds, adapter, address });
  const certificates = (name) => [{ oin: OIN[name] }];
  return { parties: [
    { id: 'school-papieren-schip', name: 'Basisschool Het Papieren Schip', oin: OIN.school, domain: 'education', may_supply_bsn: true, certificates: certificates('school'),
      may_send: grant(['school_ib', 'school_directeur', 'ouder_1', 'ouder_2', 'leerling']) },
    { id: 'gemeente-zandoever', name: 'Gemeente Zandoever', oin: OIN.gemeente, domain: 'care', scope: 'region', may_receive_bsn: true, certificates: certificates('gemeente'),
      may_send: grant(['procesregisseur', 'jeugdhulpdeskundige', 'gemeente_financien', 'smw']),
      endpoints: [at(['gemeente_registratie'], ['filing'], 'zaaksysteem'), at(['gemeente_financien'], ['invoice'], 'facturen', { mail: ORGANISATIONS.gemeente.mail })], invoice: ORGANISATIONS.gemeente },
    { id: 'swv-kop-van-noord-holland', name: 'SWV Kop van Noord-Holland', oin: OIN.swv, domain: 'education', scope: 'region', certificates: certificates('swv'), may_send: grant(['swv', 'orthopedagoog', 'cto_voorzitter', 'cto']),
      endpoints: [at(['swv_financien'], ['invoice'], 'facturen', { mail: ORGANISATIONS.swv.mail }), at(['swv', 'swv_financien'], ['message', 'signal'], 'swv-systeem')], invoice: ORGANISATIONS.swv },
    { id: 'zorgaanbieder-verzonnen-hoeve', name: 'Zorgaanbieder De Verzonnen Hoeve Zandoever', oin: OIN.zorgaanbieder, domain: 'care', scope: 'region', may_receive_bsn: true, certificates: certificates('zorgaanbieder'),
      may_send: grant(['zorgaanbieder', 'zorgaanbieder_billing']), endpoints: [at(['zorgaanbieder_billing', 'zorgaanbieder'], ['message', 'signal'], 'zorgaanbieder')], invoice: ORGANISATIONS.zorgaanbieder },
    { id: 'duo', name: 'DUO', oin: OIN.duo, domain: 'care', may_receive_bsn: true, certificates: certificates('duo'), may_send: [], endpoints: [at(['duo_verzuimregister'], ['message'], 'duo')] },
    { id: 'onderwijstransparant', name: 'OnderwijsTransparant', oin: OIN.onderwijstransparant, domain: 'education', scope: 'region', certificates: certificates('onderwijstransparant'),
      may_send: grant(['school_ib'], ['hulpvraagmelding']), endpoints: [at(['onderwijsspecialist', 'school_ib'], ['message'], 'onderwijstransparant')] },
  ] };
}

/** Changes what `schakel init` made into the configuration of this world. */
export function configure(folder, pki, port, catalogue, secrets) {
  const file = join(folder, 'schakel.json');
  const config = JSON.parse(readFileSync(file, 'utf8'));
  const url = (kind, name, field = 'omschrijving') => catalogue[kind].find((row) => row[field] === name).url;
  const own = (kind, name, field) => catalogue[kind].find((row) => row[field ?? 'omschrijving'] === name && row.zaaktype === url('zaaktypen', 'OZA', 'identificatie')).url;
  mkdirSync(join(folder, 'secrets'), { recursive: true, mode: 0o700 });
  for (const [name, value] of Object.entries(secrets)) writeFileSync(join(folder, 'secrets', name), value, { mode: 0o600 });
  const local = (name, path = '') => `https://localhost:${port[`${name}_tls`]}${path}`;
  Object.assign(config, {
    listen: { api: { address: '127.0.0.1', port: port.api, certificate: join(pki, 'server.crt'), key: join(pki, 'server.key'), client_ca: join(pki, 'root.crt') }, health: { address: '127.0.0.1', port: port.gezondheid } },
    portal: { address: '127.0.0.1', port: port.portaal, base_url: `http://localhost:${port.portaal}`, sms: { url: `http://127.0.0.1:${port.sms}/messages`, secret: 'sms' } },
    mail: { host: 'localhost', port: port.smtp, security: 'starttls', from: 'schakel@broker.example', user: 'schakel', password_secret: 'mail', ca: join(pki, 'root.crt') },
    http: { ca: join(pki, 'root.crt'), certificate: join(pki, 'server.crt'), key: join(pki, 'server.key') },
    secrets: Object.fromEntries(Object.keys(secrets).map((name) => [name, { file: `secrets/${name}` }])),
    log: { file: join(folder, '..', 'log', 'schakel.jsonl'), level: 'info' },
    adapters: {
      secure_link: { plugin: 'secure_link', config: { message_id_domain: 'broker.example' } },
      zaaksysteem: { plugin: 'gemeente', party: 'gemeente-zandoever', config: {
        zaken_url: local('zaaksysteem', '/zaken/api/v1'), documenten_url: local('zaaksysteem', '/documenten/api/v1'), client_id: 'schakel', client_secret: 'zgw', bronorganisatie: '517439943',
        types: {
          zaaktype: url('zaaktypen', 'OZA', 'identificatie'), statustype: own('statustypen', 'Aangemeld'), roltype: own('roltypen', 'Jeugdige'),
          informatieobjecttypen: { groeidocument: url('informatieobjecttypen', 'Groeidocument'), opp: url('informatieobjecttypen', 'OPP'), handelingsplan: url('informatieobjecttypen', 'Handelingsplan'), '*': url('informatieobjecttypen', 'Overig') },
          eigenschappen: { regio: own('eigenschappen', 'Regio', 'naam'), by: own('eigenschappen', 'Aangeleverd door', 'naam') },
        } } },
      facturen: { plugin: 'mail', config: { message_id_domain: 'broker.example' } },
      'swv-systeem': { plugin: 'webhook', party: 'swv-kop-van-noord-holland', config: { url: local('webhook', '/'), source: 'urn:nld:oin:00000099000100090000:systeem:schakel', bearer_secret: 'webhook' } },
      duo: { plugin: 'duo_verzuim', party: 'duo', config: {
        url: local('duo', '/verzuim'), scholen: [{ brin: '00YY', vestiging: '00YY00', oin: OIN.school, soort_opleiding: 'PO', contact: { naam: 'Fictieve Directeur', functie: 'directeur', email: 'directie@papieren-schip.example' } }] } },
      onderwijstransparant: { plugin: 'onderwijstransparant', party: 'onderwijstransparant', config: {
        base_url: local('onderwijstransparant', '/ot/v1'), token_url: local('onderwijstransparant', '/oauth/token'), client_id: 'schakel', client_secret: 'onderwijstransparant', party: 'onderwijstransparant',
        source: `urn:nld:oin:${OIN.onderwijstransparant}:systeem:hulpvragen`, region: 'KNH', swv_code: 'PO2701', poll_seconds: 2, statussen: { volledigheidscheck: 'in_behandeling' } } },
      zorgaanbieder: { plugin: 'zorgaanbieder', party: 'zorgaanbieder-verzonnen-hoeve', config: {
        region: 'KNH', gemeente_code: '0400', source: `urn:nld:oin:${OIN.zorgaanbieder}:systeem:declaraties`, afzenders: { 12345678: 'zorgaanbieder-verzonnen-hoeve' }, leveranciers: { '0106:90000004': 'zorgaanbieder-verzonnen-hoeve' },
        afnemers: [`0190:${OIN.gemeente}`], rekeningen: { '0106:90000004': [ORGANISATIONS.zorgaanbieder.iban] },
        producten: [{ code: 'ZBZRG', kind: 'zorg' }, { code: 'ZBGRS', kind: 'grijs' }, { code: 'ZBOND', kind: 'onderwijs' }], answer_url: local('zorgaanbieder', '/jw325') } },
    },
  });
  writeFileSync(file, `${JSON.stringify(config, null, 2)}\n`);
  writeFileSync(join(folder, 'parties.json'), `${JSON.stringify(parties(), null, 2)}\n`);
  return file;
}
