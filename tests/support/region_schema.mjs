// region_schema.mjs [--check]: writes the parts of config/schemas/region.schema.json that follow from other files: facts
// with the values that they may be compared with, roles, message types, purposes of consent, settings, codes and what
// invoicing explains. The other parts are written by hand and stay. --check: exit 1 where the file is stale.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path) => readFileSync(join(root, path), 'utf8');
const file = 'config/schemas/region.schema.json';
const ref = (name) => ({ $ref: `#/$defs/${name}` });
const text = { type: 'string' };

/** Names in quotes between two words of a C++ file. */
function quoted(path, from, to, pattern) {
  const source = read(path);
  const start = source.indexOf(from);
  const part = source.slice(start, source.indexOf(to, start));
  const names = [...part.matchAll(pattern)].map((m) => m[1]);
  if (start < 0 || names.length === 0) throw new Error(`${path}: nothing found after ${from}`);
  return names;
}

const facts = JSON.parse(read('config/schemas/facts.json')).facts;
const core = JSON.parse(read('config/regions/core.json'));
const names = (of) => facts.filter(of).map((f) => f.name);
const roles = facts.find((f) => f.name === 'envelope.sender').values;
// As schakel check: those that only the broker itself makes have no schema.
const types = [...new Set([...readdirSync(join(root, 'config/schemas/messages')).map((f) => f.split('.')[0]), 'link_geopend', 'termijnsignaal', 'zaak_opening'])].sort();
const purposes = JSON.parse(read('config/schemas/messages/toestemming.schema.json')).properties.purpose.enum;
const codes = quoted('core/model/code_words.cpp', 'kCodeWords', '}};', /\{"([A-Z][A-Z0-9_]*)",/g);
const settings = [...new Set([...quoted('core/model/rule_check_settings.cpp', 'kReadByCode', '};', /"([^"]+)"/g), ...Object.keys(core.settings)])].sort();
const money = (list) => quoted('core/model/money_topics.hpp', list, '}};', /\{"([^"]+)",/g);
const topics = [...money('kMoneyCodes{'), ...money('kMoneyTopics{'), ...money('kMoneyCodes{').map((c) => `release:${c}`)];

/** What one value of a fact looks like. */
function value(f) {
  if (f.name.startsWith('envelope.') && f.values) return ref('role_name');
  if (f.name === 'envelope.type') return ref('message_type');
  if (f.type === 'boolean' || f.type === 'integer') return { type: f.type };
  if (f.type === 'date') return { type: 'string', pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' };
  if (f.values) return f.open ? { anyOf: [{ enum: f.values }, text] } : { enum: f.values };
  return f.type === 'object' ? { type: 'object' } : text;
}

/** The value of a setting or of another fact, instead of one that is written. */
const other = [ref('of_setting'), ref('of_fact')];
const operand = (v) => ({ anyOf: [v, { type: 'null' }, ...other] });
const list = (v) => ({ anyOf: [{ type: 'array', items: v }, ...other] });

/** Everything that a fact may be compared with; `one` and `many`: a value of it, several. */
function compared(f, one, many) {
  const words = { equal: [one, 'is this value'], not: [one, 'is another value (or is not known)'], in: [many, 'one of these'], not_in: [many, 'none of these'] };
  if (f.type === 'integer' || f.type === 'date') Object.assign(words, { at_least: [one, 'this one, or a higher or later one'],
    more_than: [one, 'a higher number or later date'], less_than: [one, 'a lower number or earlier date'] });
  if (f.type === 'list') {
    for (const w of ['equal', 'not', 'in', 'not_in']) delete words[w];
    Object.assign(words, { contains: [{ anyOf: [one, many] }, 'every one of these is in the list'],
      count_less_than: [{ type: 'integer' }, 'fewer different elements than this'], count_not: [{ type: 'integer' }, 'not this number of different elements'] });
  }
  words.exists = [{ type: 'boolean' }, 'true: the fact is known; false: it is not'];
  const properties = Object.fromEntries(Object.entries(words).map(([w, [schema, description]]) => [w, { description, ...schema }]));
  return { type: 'object', minProperties: 1, additionalProperties: false, properties };
}

/** Facts with the same type and values share three definitions: a value, several, and a comparison. */
const shapes = new Map();
function shape(f) {
  const v = value(f);
  const key = JSON.stringify([f.type === 'list', v]);
  if (!shapes.has(key)) {
    const kind = v.$ref ? v.$ref.split('/').pop() : f.values ? f.name.replaceAll('.', '_') : f.type === 'list' ? 'text' : f.type;
    const name = `${f.type === 'list' ? 'list_of_' : ''}${kind}`;
    const one = ref(`is_value_${name}`), many = ref(`is_values_${name}`);
    shapes.set(key, { name: `is_${name}`, schemas: { [`is_value_${name}`]: operand(v), [`is_values_${name}`]: list(v),
      [`is_${name}`]: { anyOf: [...(f.type === 'list' ? [] : [v]), { type: 'null' }, compared(f, one, many)] } } });
  }
  return shapes.get(key).name;
}
const described = (f, schema) => ({ description: `${f.meaning}${f.unit ? ` (${f.unit})` : ''} ${f.meaning_nl ?? ''}`.trim(), ...schema });

const schema = JSON.parse(read(file));
const defs = Object.fromEntries(Object.entries(schema.$defs).filter(([name]) => !name.startsWith('is_')));
defs.role_name = { description: 'A role of facts.json (envelope.sender)', enum: roles };
defs.message_type = { description: 'A type of message', enum: types };
defs.fact_name = { description: 'A fact of facts.json', enum: names(() => true) };
defs.date_name = { description: 'A fact with a date', enum: names((f) => f.type === 'date' || f.name.startsWith('message.')) };
defs.purpose = { description: 'What is consented to; $delivery of an opening: what its delivery needed', enum: [...purposes, '$delivery'] };
defs.setting_name = { description: 'Name of a setting of this file or of the one it extends', anyOf: [{ enum: settings }, { type: 'string', pattern: '^[a-z][A-Za-z0-9_.]*$' }] };
defs.code = { description: 'A reason or signal in capitals: OPP_MISSING. One of your own stands in codes, and says what it means in words.', anyOf: [{ enum: codes }, { type: 'string', pattern: '^[A-Z][A-Z0-9_]*$' }] };
defs.topic = { description: 'A money decision', enum: topics };
defs.of_setting = { type: 'object', required: ['setting'], additionalProperties: false, properties: { setting: ref('setting_name') } };
defs.of_fact = { type: 'object', required: ['fact'], additionalProperties: false, properties: { fact: ref('fact_name') } };

const groups = Object.fromEntries(['all', 'any', 'none'].map((w) => [w, { type: 'array', items: ref('condition'),
  description: { all: 'every one of these holds', any: 'at least one of these holds', none: 'not one of these holds' }[w] }]));
defs.condition = { type: 'object', description: 'every fact and every group holds', additionalProperties: false,
  properties: { ...groups, ...Object.fromEntries(facts.map((f) => [f.name, described(f, ref(shape(f)))])) },
  patternProperties: { '^setting\\.[a-z]': ref('comparison') } };
defs.facts_set = { type: 'object', description: 'facts: case facts that follow; {append: fact} adds to a list', additionalProperties: false, minProperties: 1,
  properties: Object.fromEntries(facts.filter((f) => f.name.startsWith('case.')).map((f) => [f.name, described(f, f.type === 'list'
    ? { anyOf: [{ type: 'array' }, { type: 'null' }, ...other, { type: 'object', required: ['append'], additionalProperties: false, properties: { append: ref('fact_name') } }] }
    : ref(`is_value_${shape(f).slice(3)}`))])) };
const typed = { string: 'string', boolean: 'boolean', number: 'integer' };
schema.properties.settings.properties = Object.fromEntries(settings.map((name) => {
  const s = core.settings[name];
  const type = s && (Array.isArray(s.value) ? 'array' : typed[typeof s.value] ?? 'object');
  return [name, s ? { description: s.why, allOf: [ref('setting'), { properties: { value: { type } } }] } : ref('setting')];
}));
for (const { schemas } of shapes.values()) Object.assign(defs, schemas);
schema.$defs = defs;

const written = JSON.stringify(schema, null, 2) + '\n';
if (process.argv.includes('--check')) {
  if (written !== read(file)) {
    console.error(`${file} is stale: run node tests/support/region_schema.mjs`);
    process.exit(1);
  }
} else writeFileSync(join(root, file), written);
