/** Calls that are written in words, as ruleutils prints them; null for a function that has no such form.
 * `field` is the first argument's value, where it is a constant text. */
export function syntaxText(
  name: string,
  args: readonly string[],
  field: string | null,
): string | null {
  const [first = '', second = '', third, fourth] = args;
  switch (name) {
    case 'timezone':
      return args.length === 2 ? `(${second} AT TIME ZONE ${first})` : null;
    case 'extract':
      return field === null ? null : `EXTRACT(${field} FROM ${second})`;
    case 'overlaps':
      return `((${first}, ${second}) OVERLAPS (${third}, ${fourth}))`;
    case 'is_normalized': {
      const form = formOf(args[1]);
      return `(${first} IS ${form === null ? '' : `${form} `}NORMALIZED)`;
    }
    case 'normalize': {
      const form = formOf(args[1]);
      return `NORMALIZE(${first}${form === null ? '' : `, ${form}`})`;
    }
    case 'overlay':
      return `OVERLAY(${first} PLACING ${second} FROM ${third}${optional('FOR', fourth)})`;
    case 'position':
      return `POSITION((${second}) IN (${first}))`;
    case 'substring':
      return `SUBSTRING(${first} FROM ${second}${optional('FOR', third)})`;
    case 'btrim':
      return trimText('BOTH', first, args[1]);
    case 'ltrim':
      return trimText('LEADING', first, args[1]);
    case 'rtrim':
      return trimText('TRAILING', first, args[1]);
    default:
      return null;
  }
}

function trimText(side: string, text: string, characters: string | undefined): string {
  return `TRIM(${side}${characters === undefined ? '' : ` ${characters}`} FROM ${text})`;
}

function optional(word: string, text: string | undefined): string {
  return text === undefined ? '' : ` ${word} ${text}`;
}

/** The form of normalization that a constant text names; null for the one that goes without saying. */
function formOf(text: string | undefined): string | null {
  const form = /^'(\w+)'/.exec(text ?? '')?.[1]?.toUpperCase() ?? 'NFC';
  return form === 'NFC' ? null : form;
}
