// A strict reader of JSON objects by table: unknown fields refused, all findings at once, in the ZGW form {name, code, reason}.
import { elevenProof } from './partner.mjs';

const real = (text) => {
  const m = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(text);
  return !!m && new Date(Date.UTC(m[1], m[2] - 1, m[3])).toISOString().slice(0, 10) === text;
};
const DATE_TIME = /^([0-9]{4}-[0-9]{2}-[0-9]{2})T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const FORMATS = {
  date: (v) => real(v),
  datetime: (v) => DATE_TIME.test(v) && real(DATE_TIME.exec(v)[1]),
  url: (v) => /^https?:\/\/[^\s]+$/.test(v) && v.length <= 1000,
  uuid: (v) => UUID.test(v),
  rsin: (v) => elevenProof(v),
  bsn: (v) => elevenProof(v),
  email: (v) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(v),
};

/** field = {type, required?, nullable?, max?, min?, pattern?, values?, of?, fields?, open?}; type may be a format name. */
export function findings(fields, value, prefix = '', open = false) {
  const found = [];
  const add = (name, code, reason) => found.push({ name: `${prefix}${name}`, code, reason });
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [{ name: prefix || 'nonFieldErrors', code: 'invalid', reason: 'Geen object.' }];
  if (!open) for (const name of Object.keys(value)) if (!Object.hasOwn(fields, name)) add(name, 'unknown-field', 'Dit veld bestaat hier niet.');
  for (const [name, field] of Object.entries(fields)) {
    const v = value[name];
    if (v === undefined) { if (field.required) add(name, 'required', 'Dit veld is vereist.'); continue; }
    if (v === null) { if (!field.nullable) add(name, 'null', 'Dit veld mag niet leeg zijn.'); continue; }
    if (field.readOnly) { add(name, 'read-only', 'Dit veld mag niet worden opgegeven.'); continue; }
    if (field.type === 'integer') { if (!Number.isSafeInteger(v)) add(name, 'invalid', 'Een geheel getal is vereist.'); else if (v < (field.min ?? -Infinity) || v > (field.max ?? Infinity)) add(name, 'range', 'Buiten bereik.'); continue; }
    if (field.type === 'boolean') { if (typeof v !== 'boolean') add(name, 'invalid', 'Een boolean is vereist.'); continue; }
    if (field.type === 'array') {
      if (!Array.isArray(v)) add(name, 'not_a_list', 'Een lijst is vereist.');
      else if (v.length < (field.min ?? 0) || v.length > (field.max ?? 1000)) add(name, 'length', 'Verkeerd aantal.');
      else v.forEach((item, i) => {
        if (field.fields) found.push(...findings(field.fields, item, `${prefix}${name}.${i}.`, field.open));
        else found.push(...findings({ [i]: { ...field.of, required: true } }, { [i]: item }, `${prefix}${name}.`));
      });
      continue;
    }
    if (field.type === 'object') { found.push(...findings(field.fields, v, `${prefix}${name}.`, field.open)); continue; }
    if (typeof v !== 'string') { add(name, 'invalid', 'Een tekst is vereist.'); continue; }
    if (v.length > (field.max ?? 100000)) add(name, 'max_length', `Ten hoogste ${field.max} tekens.`);
    else if (v.length < (field.min ?? (field.required ? 1 : 0))) add(name, v === '' ? 'blank' : 'min_length', 'Te kort.');
    else if (v === '' && !field.required && field.blank !== false) continue;
    else if (field.values && !field.values.includes(v)) add(name, 'invalid_choice', 'Geen geldige keuze.');
    else if (field.pattern && !field.pattern.test(v)) add(name, 'invalid', 'Verkeerde vorm.');
    else if (FORMATS[field.type] && !FORMATS[field.type](v)) add(name, 'invalid', 'Verkeerde vorm.');
  }
  return found;
}
