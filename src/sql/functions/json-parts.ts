/** json and jsonb seen alike: values that give their kind, their texts and what is in them. */

import { json } from '../../types/index.ts';
import { textOf } from './jsonb.ts';

export interface JsonPart {
  readonly kind: json.JsonbKind;
  /** As SQL text: a string without its quotes, all else as JSON. */
  text(): string;
  json(): string;
  stored(): Uint8Array;
  /** The elements of an array. */
  elements(): readonly JsonPart[];
  /** The fields of an object by their names; of several of one name the last. */
  fields(): ReadonlyMap<string, JsonPart>;
}

/** A part of a json: a text, and what the text stands for if it is a string. */
export class TextPart implements JsonPart {
  readonly kind: json.JsonbKind;
  private readonly source: string;
  private readonly string: string | undefined;

  constructor(source: string, kind = json.kindOfJson(source), string?: string) {
    this.source = source;
    this.string = string;
    this.kind = kind;
  }

  text(): string {
    return this.string ?? this.source;
  }

  json(): string {
    return this.string === undefined ? this.source : json.quoteJson(this.string);
  }

  stored(): Uint8Array {
    return json.encodeJsonb(json.parseJsonb(this.source));
  }

  elements(): readonly JsonPart[] {
    const { elements = [] } = json.outlineJson(this.source, true);
    return elements.map((span) => this.part(span));
  }

  fields(): ReadonlyMap<string, JsonPart> {
    const { fields = [] } = json.outlineJson(this.source, true);
    return new Map(fields.map(([name, span]) => [name, this.part(span)]));
  }

  private part(span: json.JsonSpan): JsonPart {
    const { token, start, end, string } = span;
    return new TextPart(this.source.slice(start, end), json.kindOfToken(token), string);
  }
}

/** A part of a jsonb. */
export class TreePart implements JsonPart {
  readonly kind: json.JsonbKind;
  private readonly value: json.JsonbValue;

  constructor(value: json.JsonbValue) {
    this.value = value;
    this.kind = json.kindOf(value);
  }

  text(): string {
    return textOf(this.value) ?? 'null';
  }

  json(): string {
    return json.formatJsonb(this.value);
  }

  stored(): Uint8Array {
    return json.encodeJsonb(this.value);
  }

  elements(): readonly JsonPart[] {
    return json.isArray(this.value) ? this.value.map((element) => new TreePart(element)) : [];
  }

  fields(): ReadonlyMap<string, JsonPart> {
    if (!json.isObject(this.value)) return new Map();
    return new Map([...this.value].map(([name, field]) => [name, new TreePart(field)]));
  }
}
