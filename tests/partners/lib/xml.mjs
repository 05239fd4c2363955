// Strict reading of XML: no DTD, well-formed, and element tables in order. Matches by namespace and local name, never by prefix.
import { DOMParser } from '@xmldom/xmldom';

export class XmlError extends Error {}

export function parse(bytes) {
  let text;
  try { text = new TextDecoder('utf-8', { fatal: true }).decode(bytes); } catch { throw new XmlError('not UTF-8'); }
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) throw new XmlError('a DTD is not allowed');
  if (/<\?xml[^>]*encoding\s*=\s*["'](?!utf-8["'])/i.test(text)) throw new XmlError('not declared as UTF-8');
  try {
    return new DOMParser({ onError: (level, message) => { throw new XmlError(`${level}: ${message}`); } }).parseFromString(text, 'text/xml');
  } catch (error) {
    throw error instanceof XmlError ? error : new XmlError(error.message);
  }
}

export const elements = (node) => Array.from(node.childNodes).filter((n) => n.nodeType === 1);
export const child = (node, ns, name) => elements(node).find((n) => n.namespaceURI === ns && n.localName === name);
export const text = (node) => (node ? node.textContent : undefined);
export const escape = (s) => String(s).replace(/[<>&"']/g, (c) => `&#${c.charCodeAt(0)};`);

const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
const TYPES = {
  date: (v) => DATE.test(v) && !Number.isNaN(Date.parse(v)) && new Date(v).toISOString().startsWith(v),
  dateTime: (v) => /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?$/.test(v) && !Number.isNaN(Date.parse(v)),
  boolean: (v) => ['true', 'false', '1', '0'].includes(v),
};

/**
 * Checks the children of `node` against rows [name, {type, pattern, values, min, max, optional, many, rows, choice}] in this order.
 * Returns the findings as texts; an empty list is a valid element. `choice` is a list of rows of which exactly one may stand.
 */
export function sequence(node, ns, rows, path = node.localName) {
  const found = [];
  const children = elements(node);
  if (Array.from(node.childNodes).some((n) => (n.nodeType === 3 || n.nodeType === 4) && n.textContent.trim())) found.push(`${path}: text between elements`);
  let at = 0;
  for (const [name, rule] of rows) {
    const options = rule.choice ?? [[name, rule]];
    let count = 0;
    for (;;) {
      const next = children[at];
      const option = next && next.namespaceURI === ns && options.find(([n]) => n === next.localName);
      if (!option || count >= (rule.many ?? 1)) break;
      found.push(...(option[1].rows ? sequence(next, ns, option[1].rows, `${path}/${option[0]}`) : simple(next, option[1], `${path}/${option[0]}`)));
      at += 1;
      count += 1;
    }
    if (count === 0 && !rule.optional) found.push(`${path}/${name}: missing or out of order`);
  }
  if (at < children.length) found.push(`${path}/${children[at].localName}: not expected here`);
  return found;
}
function simple(node, rule, path) {
  const value = node.textContent;
  if (elements(node).length) return [`${path}: has elements inside`];
  const bad = (rule.type && !TYPES[rule.type](value)) || (rule.pattern && !rule.pattern.test(value)) || (rule.values && !rule.values.includes(value)) || (rule.max && value.length > rule.max) || value.length < (rule.min ?? 1);
  return bad ? [`${path}: value not allowed`] : [];
}
