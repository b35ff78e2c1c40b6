/** Names and numbers of character encodings. The server's is UTF8; few others can be converted. */

export const UTF8 = 6;
const LATIN1 = 8;
/** PostgreSQL's encodings in the order of their numbers; what follows 41 is not one. */
export const ENCODINGS: readonly string[] =
  `SQL_ASCII EUC_JP EUC_CN EUC_KR EUC_TW EUC_JIS_2004 UTF8 MULE_INTERNAL LATIN1 LATIN2 LATIN3 LATIN4
  LATIN5 LATIN6 LATIN7 LATIN8 LATIN9 LATIN10 WIN1256 WIN1258 WIN866 WIN874 KOI8R WIN1251 WIN1252
  ISO_8859_5 ISO_8859_6 ISO_8859_7 ISO_8859_8 WIN1250 WIN1253 WIN1254 WIN1255 WIN1257 KOI8U SJIS
  BIG5 GBK UHC GB18030 JOHAB SHIFT_JIS_2004`.split(/\s+/);

/** The number of an encoding; -1 when no encoding has the name. Case and punctuation do not count. */
export function encodingNumber(name: string): number {
  const plain = (text: string) => text.toUpperCase().replace(/[^A-Z0-9]/g, '');
  const wanted = plain(name);
  if (wanted === 'UNICODE') return UTF8;
  if (wanted === 'ISO88591') return LATIN1;
  return ENCODINGS.findIndex((known) => plain(known) === wanted);
}
