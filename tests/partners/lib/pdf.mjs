// A small real PDF 1.4 from lines of text, for documents that a school would send. Latin letters only (WinAnsi).
export function pdf(title, lines) {
  const encode = (s) => [...s].map((c) => {
    const code = c === '€' ? 0x80 : c.codePointAt(0);
    return '()\\'.includes(c) ? `\\${c}` : code < 127 && code > 31 ? c : code < 256 && code > 127 ? `\\${code.toString(8).padStart(3, '0')}` : '?';
  }).join('');
  const content = [`BT /F2 18 Tf 56 780 Td (${encode(title)}) Tj ET`, ...lines.map((line, i) => `BT /F1 11 Tf 56 ${748 - i * 17} Td (${encode(line)}) Tj ET`)].join('\n');
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R /Lang (nl) >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R /F2 6 0 R >> >> >>',
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>',
    `<< /Title (${encode(title)}) /Producer (Schakel demonstratie) >>`,
  ];
  let out = '%PDF-1.4\n%\xe2\xe3\xcf\xd3\n';
  const at = objects.map((object, i) => { const offset = out.length; out += `${i + 1} 0 obj\n${object}\nendobj\n`; return offset; });
  const start = out.length;
  out += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${at.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R /Info 7 0 R >>\nstartxref\n${start}\n%%EOF\n`;
  return Buffer.from(out, 'latin1');
}
