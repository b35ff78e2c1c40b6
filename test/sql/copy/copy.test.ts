import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../../src/base/index.ts';
import { PgError } from '../../../src/errors/index.ts';
import {
  BINARY_FORMAT,
  type CopyFormat,
  type CopyOptions,
  CSV_FORMAT,
  copyParser,
  copyValueContext,
  copyWriter,
  resolveCopyFormat,
  TEXT_FORMAT,
} from '../../../src/sql/execute/copy/index.ts';

type Row = (string | null)[];

const ABC = ['a', 'b', 'c'];

/** Parses a file that comes in pieces of `size` bytes. */
function parse(
  format: CopyFormat,
  input: string | Uint8Array,
  columns: readonly string[] = ABC,
  size = Number.POSITIVE_INFINITY,
): Row[] {
  const rows: Row[] = [];
  const parser = copyParser(format, { table: 't', columns }, (bytes, starts, lengths) => {
    rows.push(
      columns.map((_, i) => {
        const length = lengths[i]!;
        const at = starts[i]!;
        return length < 0 ? null : Buffer.from(bytes.subarray(at, at + length)).toString();
      }),
    );
  });
  const bytes = typeof input === 'string' ? Buffer.from(input) : input;
  for (let at = 0; at < bytes.length; at += size) {
    // A fresh copy each time, so that a row kept by reference would show.
    const piece = Uint8Array.from(bytes.subarray(at, Math.min(bytes.length, at + size)));
    parser.push(piece, 0, piece.length);
    piece.fill(0x3f);
  }
  parser.finish();
  return rows;
}

function write(format: CopyFormat, rows: readonly Row[], framed = false): Buffer {
  const out = new ByteWriter();
  const columnCount = rows[0]?.length ?? 0;
  const writer = copyWriter(format, columnCount, out, framed);
  writer.header(ABC.slice(0, columnCount));
  for (const row of rows) {
    writer.beginRow();
    for (const value of row) {
      if (value === null) writer.nullField();
      else {
        const bytes = Buffer.from(value);
        writer.field(bytes, 0, bytes.length);
      }
    }
    writer.endRow();
  }
  writer.end();
  return Buffer.from(out.copy());
}

function failure(run: () => unknown) {
  try {
    run();
  } catch (error) {
    if (error instanceof PgError) {
      const { sqlstate, message, where, hint } = error.fields;
      return { sqlstate, message, where, hint };
    }
    throw error;
  }
  throw new Error('nothing failed');
}

describe('text', () => {
  test.each([
    [
      'rows',
      '1\tb\tc\n2\te\tf\n',
      [
        ['1', 'b', 'c'],
        ['2', 'e', 'f'],
      ],
    ],
    [
      'no newline at the end',
      '1\tb\tc\n2\te\tf',
      [
        ['1', 'b', 'c'],
        ['2', 'e', 'f'],
      ],
    ],
    [
      'CRLF',
      '1\tb\tc\r\n2\te\tf\r\n',
      [
        ['1', 'b', 'c'],
        ['2', 'e', 'f'],
      ],
    ],
    [
      'CR',
      '1\tb\tc\r2\te\tf\r',
      [
        ['1', 'b', 'c'],
        ['2', 'e', 'f'],
      ],
    ],
    [
      'NULL and empty',
      '\\N\t\tc\na\tb\t\\N\n',
      [
        [null, '', 'c'],
        ['a', 'b', null],
      ],
    ],
    ['not NULL', '\\Nx\tx\\N\t\\\\N\n', [['Nx', 'xN', '\\N']]],
    ['escapes', '\\b\\f\\n\\r\\t\\v\t\\\\\\x\t\\q\n', [['\b\f\n\r\t\v', '\\x', 'q']]],
    ['octal', '\\101\\60\\7\t\\1018\t\\101\n', [['A0\x07', 'A8', 'A']]],
    ['hexadecimal', '\\x41\\x4a1\t\\xg\t\\xC3\\xa4\n', [['AJ1', 'xg', 'ä']]],
    ['escaped delimiter and newline', 'a\\\tb\t\\\n\tc\n', [['a\tb', '\n', 'c']]],
    ['a backslash at the end', 'a\tb\tc\\', [['a', 'b', 'c']]],
    [
      'UTF-8',
      'ä\t€\t😀\nä\t€\t😀\n',
      [
        ['ä', '€', '😀'],
        ['ä', '€', '😀'],
      ],
    ],
    ['the end marker', 'a\tb\tc\n\\.\nrest', [['a', 'b', 'c']]],
    ['the end marker after CRLF', 'a\tb\tc\r\n\\.\r\nrest', [['a', 'b', 'c']]],
    ['the end marker behind data', 'a\tb\tc\\.\nrest', [['a', 'b', 'c']]],
    ['nothing', '', []],
    ['only the end marker', '\\.\n', []],
  ])('%s', (_what, input, expected) => {
    for (const size of [1, 2, 3, 5, 1000]) {
      expect(parse(TEXT_FORMAT, input, ABC, size)).toEqual(expected);
    }
  });

  test.each([
    ['a\tb\n', '22P04', 'missing data for column "c"', 'COPY t, line 1: "a\tb"'],
    [
      'a\tb\tc\nx\ty\tz\tq\n',
      '22P04',
      'extra data after last expected column',
      'COPY t, line 2: "x\ty\tz\tq"',
    ],
    ['a\tb\tc\n\n', '22P04', 'missing data for column "b"', 'COPY t, line 2: ""'],
    ['a\tb\tc\nx\ty\rz\n', '22P04', 'literal carriage return found in data', 'COPY t, line 2'],
    ['a\tb\tc\r\nx\ty\rz\r\n', '22P04', 'literal carriage return found in data', 'COPY t, line 2'],
    ['a\tb\tc\r\nx\ty\tz\n', '22P04', 'literal newline found in data', 'COPY t, line 2'],
    ['a\tb\tc\rx\ty\tz\n', '22P04', 'literal newline found in data', 'COPY t, line 2'],
    ['a\\.b\tc\td\n', '22P04', 'end-of-copy marker corrupt', 'COPY t, line 1'],
    ['a\tb\tc\n\\.', '22P04', 'end-of-copy marker corrupt', 'COPY t, line 2'],
    [
      'a\tb\tc\n\\.\r\n',
      '22P04',
      'end-of-copy marker does not match previous newline style',
      'COPY t, line 2',
    ],
    [
      'a\t\\xff\tc\n',
      '22021',
      'invalid byte sequence for encoding "UTF8": 0xff',
      'COPY t, line 1: "a\t\\xff\tc"',
    ],
    [
      'a\t\\0\tc\n',
      '22021',
      'invalid byte sequence for encoding "UTF8": 0x00',
      'COPY t, line 1: "a\t\\0\tc"',
    ],
    [
      'a\tb\tc\na\tb\0\tc\n',
      '22021',
      'invalid byte sequence for encoding "UTF8": 0x00',
      'COPY t, line 2',
    ],
  ])('%j is refused', (input, sqlstate, message, where) => {
    for (const size of [1, 4, 1000]) {
      expect(failure(() => parse(TEXT_FORMAT, input, ABC, size))).toMatchObject({
        sqlstate,
        message,
        where,
      });
    }
  });

  test('bytes that are not UTF-8 are refused, with the line', () => {
    const input = Buffer.concat([
      Buffer.from('a\tb\tc\na\t'),
      Buffer.of(0xc3),
      Buffer.from('\tc\n'),
    ]);
    expect(failure(() => parse(TEXT_FORMAT, input))).toMatchObject({
      sqlstate: '22021',
      message: 'invalid byte sequence for encoding "UTF8": 0xc3 0x09',
      where: 'COPY t, line 2',
    });
  });

  test('other delimiters and null texts', () => {
    const format = resolveCopyFormat({ delimiter: '|', null: 'NULL' }, ABC, true);
    expect(parse(format, '1|NULL|\\N\nx\\|y||NULLS\n')).toEqual([
      ['1', null, 'N'],
      ['x|y', '', 'NULLS'],
    ]);
  });

  test('tables of one column and of none', () => {
    expect(parse(TEXT_FORMAT, '\nx\n\n', ['a'])).toEqual([[''], ['x'], ['']]);
    expect(parse(TEXT_FORMAT, '\n\n', [])).toEqual([[], []]);
    expect(failure(() => parse(TEXT_FORMAT, 'x\n', []))).toMatchObject({ sqlstate: '22P04' });
  });

  test('a header', () => {
    const format = resolveCopyFormat({ header: true }, ABC, true);
    expect(parse(format, 'whatever\na\tb\tc\n')).toEqual([['a', 'b', 'c']]);
  });

  test('writes what it reads', () => {
    expect(write(TEXT_FORMAT, [['a\tb', null, '\\\n\r\b\f\v']]).toString()).toBe(
      'a\\tb\t\\N\t\\\\\\n\\r\\b\\f\\v\n',
    );
    const piped = resolveCopyFormat({ delimiter: '|', header: true }, ABC, false);
    expect(write(piped, [['a|b', '', 'x']]).toString()).toBe('a|b|c\na\\|b||x\n');
  });

  test('a row of many megabytes, in small pieces, takes linear time', () => {
    const value = 'x\\\n'.repeat(1_000_000);
    const rows = parse(TEXT_FORMAT, `1\tb\tc\n1\t${value}\tc\n`, ABC, 4096);
    expect(rows[1]?.[1]).toBe('x\n'.repeat(1_000_000));
  });
});

describe('CSV', () => {
  const csv = (options: CopyOptions, isFrom = true) =>
    resolveCopyFormat({ format: 'csv', ...options }, ABC, isFrom);

  test.each([
    [
      'rows',
      '1,b,c\n2,e,f\n',
      [
        ['1', 'b', 'c'],
        ['2', 'e', 'f'],
      ],
    ],
    [
      'quotes',
      '"1","b,c","d""e"\nx"y"z,"","\n"\n',
      [
        ['1', 'b,c', 'd"e'],
        ['xyz', '', '\n'],
      ],
    ],
    [
      'NULL and empty',
      ',"",c\nx,y,\n',
      [
        [null, '', 'c'],
        ['x', 'y', null],
      ],
    ],
    [
      'CRLF',
      'a,b,"c\r\n"\r\nd,e,f\r\n',
      [
        ['a', 'b', 'c\r\n'],
        ['d', 'e', 'f'],
      ],
    ],
    [
      'CR',
      'a,b,c\rd,e,f\r',
      [
        ['a', 'b', 'c'],
        ['d', 'e', 'f'],
      ],
    ],
    [
      'backslashes are data',
      '\\N,a\\,\\.x\n\\x,\\.,c\n',
      [
        ['\\N', 'a\\', '\\.x'],
        ['\\x', '\\.', 'c'],
      ],
    ],
    ['the end marker', 'a,b,c\n\\.\nrest', [['a', 'b', 'c']]],
    [
      'UTF-8',
      'ä,€,"😀"\nä,€,😀\n',
      [
        ['ä', '€', '😀'],
        ['ä', '€', '😀'],
      ],
    ],
  ])('%s', (_what, input, expected) => {
    for (const size of [1, 2, 3, 5, 1000]) {
      expect(parse(CSV_FORMAT, input, ABC, size)).toEqual(expected);
    }
  });

  test.each([
    ['a,"b,c\n', 'unterminated CSV quoted field', 'COPY t, line 1: "a,"b,c\n"'],
    ['a,b,c\nd,e\rf\n', 'unquoted carriage return found in data', 'COPY t, line 2'],
    ['a,b,c\r\nd,e,f\n', 'unquoted newline found in data', 'COPY t, line 2'],
    ['a,b,c\n"d\ne\nf",b,c\nx\n', 'missing data for column "b"', 'COPY t, line 5: "x"'],
    ['a,b,c,d\n', 'extra data after last expected column', 'COPY t, line 1: "a,b,c,d"'],
  ])('%j is refused', (input, message, where) => {
    for (const size of [1, 4, 1000]) {
      expect(failure(() => parse(CSV_FORMAT, input, ABC, size))).toMatchObject({
        sqlstate: '22P04',
        message,
        where,
      });
    }
  });

  test('an escape that is not the quote', () => {
    const format = csv({ escape: '\\', quote: "'" });
    for (const size of [1, 2, 1000]) {
      expect(parse(format, "'a\\'b','c\\\\','\\n'\nx,'y\\\\\\'\n',z\n", ABC, size)).toEqual([
        ["a'b", 'c\\', '\\n'],
        ['x', "y\\'\n", 'z'],
      ]);
    }
  });

  test('FORCE_NULL and FORCE_NOT_NULL', () => {
    const format = csv({ null: 'nil', forceNull: ['a'], forceNotNull: ['b'] });
    expect(parse(format, '"nil",nil,nil\nnil,"nil","nil"\n')).toEqual([
      [null, 'nil', null],
      [null, 'nil', 'nil'],
    ]);
  });

  test('a header that must match', () => {
    const format = csv({ header: 'match' });
    expect(parse(format, 'a,"b",c\n1,2,3\n')).toEqual([['1', '2', '3']]);
    expect(failure(() => parse(format, 'a,b\n'))).toMatchObject({
      message: 'wrong number of fields in header line: got 2, expected 3',
      where: 'COPY t, line 1: "a,b"',
    });
    expect(failure(() => parse(format, 'a,b,d\n'))).toMatchObject({
      message: 'column name mismatch in header line field 3: got "d", expected "c"',
    });
    expect(failure(() => parse(format, 'a,b,\n'))).toMatchObject({
      message: 'column name mismatch in header line field 3: got null value (""), expected "c"',
    });
  });

  test('writes quotes where they are needed or asked for', () => {
    expect(
      write(CSV_FORMAT, [
        ['a,b', null, 'c"d'],
        ['', 'x\ny', 'z'],
      ]).toString(),
    ).toBe('"a,b",,"c""d"\n"","x\ny",z\n');
    expect(
      write(csv({ forceQuote: ['b'], header: true }, false), [['1', '2', null]]).toString(),
    ).toBe('a,b,c\n1,"2",\n');
    expect(write(CSV_FORMAT, [['\\.']]).toString()).toBe('"\\."\n');
  });
});

describe('binary', () => {
  const HEADER = 'PGCOPY\n\xff\r\n\0';
  const ZERO = '\0\0\0\0';
  const ROW = '\0\x02\0\0\0\x01a\xff\xff\xff\xff';
  const file = (text: string) => Buffer.from(text, 'latin1');

  test.each([
    ['a trailer', `${HEADER}${ZERO}${ZERO}${ROW}\xff\xff`, [['a', null]]],
    [
      'no trailer',
      `${HEADER}${ZERO}${ZERO}${ROW}${ROW}`,
      [
        ['a', null],
        ['a', null],
      ],
    ],
    ['half a count at the end', `${HEADER}${ZERO}${ZERO}${ROW}\0`, [['a', null]]],
    ['an extension', `${HEADER}\0\0\xff\xff\0\0\0\x03xyz${ROW}`, [['a', null]]],
  ])('%s', (_what, text, expected) => {
    for (const size of [1, 2, 7, 1000]) {
      expect(parse(BINARY_FORMAT, file(text), ['a', 'b'], size)).toEqual(expected);
    }
  });

  // What PostgreSQL 15 said to the same files.
  test.each([
    ['PGC', 'COPY file signature not recognized', undefined],
    ['hello, world', 'COPY file signature not recognized', undefined],
    [HEADER, 'invalid COPY file header (missing flags)', undefined],
    [HEADER + ZERO, 'invalid COPY file header (missing length)', undefined],
    [`${HEADER}\0\x02\0\0${ZERO}`, 'unrecognized critical flags in COPY file header', undefined],
    [`${HEADER}\0\x01\0\0${ZERO}`, 'invalid COPY file header (WITH OIDS)', undefined],
    [`${HEADER}${ZERO}\0\0\0\x02x`, 'invalid COPY file header (wrong length)', undefined],
    [`${HEADER}${ZERO}\xff\0\0\x02x`, 'invalid COPY file header (missing length)', undefined],
    [
      `${HEADER}${ZERO}${ZERO}${ROW}\xff\xffx`,
      'received copy data after EOF marker',
      'COPY t, line 2',
    ],
    [`${HEADER}${ZERO}${ZERO}\0\x03`, 'row field count is 3, expected 2', 'COPY t, line 1'],
    [
      `${HEADER}${ZERO}${ZERO}\0\x02\0\0\0\x03a`,
      'unexpected EOF in COPY data',
      'COPY t, line 1, column a',
    ],
    [
      `${HEADER}${ZERO}${ZERO}\0\x02\xff\xff\xff\xfe`,
      'invalid field size',
      'COPY t, line 1, column a',
    ],
  ])('%j is refused', (text, message, where) => {
    for (const size of [1, 4, 1000]) {
      expect(failure(() => parse(BINARY_FORMAT, file(text), ['a', 'b'], size))).toMatchObject({
        sqlstate: '22P04',
        message,
        where,
      });
    }
  });

  test('an empty file has no signature', () => {
    expect(failure(() => parse(BINARY_FORMAT, '')).message).toBe(
      'COPY file signature not recognized',
    );
  });
});

test('framed rows are CopyData messages', () => {
  expect(write(TEXT_FORMAT, [['a'], ['bc']], true).toString('latin1')).toBe(
    'd\0\0\0\x06a\nd\0\0\0\x07bc\n',
  );
});

test('what is written is read, in pieces of any size', () => {
  const value = fc.option(
    fc.string({
      unit: fc.constantFrom(
        'a',
        '\t',
        '\n',
        '\r',
        '\\',
        '.',
        'N',
        '"',
        ',',
        "'",
        'é',
        '😀',
        '\x08',
      ),
    }),
  );
  const row = fc.tuple(value, value, value);
  const formats = [
    TEXT_FORMAT,
    CSV_FORMAT,
    BINARY_FORMAT,
    resolveCopyFormat({ delimiter: ',', null: '' }, ABC, true),
    resolveCopyFormat({ format: 'csv', escape: '\\', quote: "'", null: 'N' }, ABC, true),
  ];
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 6 }),
      fc.constantFrom(...formats),
      fc.integer({ min: 1, max: 12 }),
      (rows, format, size) => {
        // The text format cannot tell its null text from the same value without a backslash.
        const ambiguous = format.kind === 'text' && format.nullText.length === 0;
        const written = ambiguous ? rows.map((r) => r.map((v) => (v === '' ? null : v))) : rows;
        expect(parse(format, write(format, written), ABC, size)).toEqual(written);
      },
    ),
    { numRuns: 500 },
  );
});

test('random bytes give rows or an error of their own', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(9, 10, 13, 34, 44, 46, 78, 92, 97, 120, 0xc3, 0xa4, 0)),
      fc.constantFrom(TEXT_FORMAT, CSV_FORMAT),
      fc.integer({ min: 1, max: 5 }),
      (bytes, format, size) => {
        const outcome = (pieces: number) => {
          try {
            return parse(format, Uint8Array.from(bytes), ['a', 'b'], pieces);
          } catch (error) {
            if (error instanceof PgError) return error.fields.message;
            throw error;
          }
        };
        expect(outcome(size)).toEqual(outcome(1000));
      },
    ),
    { numRuns: 1000 },
  );
});

describe('options', () => {
  const check = (options: CopyOptions, isFrom = true) =>
    failure(() => resolveCopyFormat(options, ABC, isFrom));

  test.each([
    [{ format: 'xml' }, '22023', 'COPY format "xml" not recognized'],
    [{ format: 'binary', delimiter: ',' }, '42601', 'cannot specify DELIMITER in BINARY mode'],
    [{ format: 'binary', null: '' }, '42601', 'cannot specify NULL in BINARY mode'],
    [{ format: 'binary', header: true }, '0A000', 'cannot specify HEADER in BINARY mode'],
    [{ format: 'binary', quote: '"' }, '0A000', 'COPY quote available only in CSV mode'],
    [{ delimiter: 'ab' }, '0A000', 'COPY delimiter must be a single one-byte character'],
    [{ delimiter: 'ä' }, '0A000', 'COPY delimiter must be a single one-byte character'],
    [{ delimiter: '\n' }, '22023', 'COPY delimiter cannot be newline or carriage return'],
    [{ delimiter: 'x' }, '22023', 'COPY delimiter cannot be "x"'],
    [{ null: '\n' }, '22023', 'COPY null representation cannot use newline or carriage return'],
    [{ null: 'a\tb' }, '0A000', 'COPY delimiter must not appear in the NULL specification'],
    [{ quote: '"' }, '0A000', 'COPY quote available only in CSV mode'],
    [{ escape: '"' }, '0A000', 'COPY escape available only in CSV mode'],
    [{ format: 'csv', quote: '""' }, '0A000', 'COPY quote must be a single one-byte character'],
    [{ format: 'csv', quote: ',' }, '22023', 'COPY delimiter and quote must be different'],
    [
      { format: 'csv', null: '"' },
      '0A000',
      'CSV quote character must not appear in the NULL specification',
    ],
    [
      { format: 'csv', forceQuote: '*' as const },
      '0A000',
      'COPY force quote only available using COPY TO',
    ],
    [{ forceNull: ['a'] }, '0A000', 'COPY force null available only in CSV mode'],
    [{ format: 'csv', forceNull: ['z'] }, '42P10', 'FORCE_NULL column "z" not referenced by COPY'],
    [{ encoding: 'latin1' }, '0A000', 'COPY in encoding "latin1" is not supported'],
  ])('%j', (options, sqlstate, message) => {
    expect(check(options)).toMatchObject({ sqlstate, message });
  });

  test('HEADER MATCH is for COPY FROM', () => {
    expect(check({ header: 'match' }, false).message).toBe(
      'cannot use "match" with HEADER in COPY TO',
    );
  });
});

test('the context of a value is clipped as PostgreSQL clips it', () => {
  expect(copyValueContext('t', 3, 'a', null)).toBe('COPY t, line 3, column a: null input');
  expect(copyValueContext('t', 3, 'a', 'x'.repeat(101))).toBe(
    `COPY t, line 3, column a: "${'x'.repeat(100)}..."`,
  );
  expect(copyValueContext('t', 3, 'a', `${'x'.repeat(99)}ä`)).toBe(
    `COPY t, line 3, column a: "${'x'.repeat(99)}..."`,
  );
});
