export { type LiftedRows, type LiteralRange, NULL_LITERAL } from './literal-rows.ts';
export {
  type LiftedLiteral,
  type LiftedText,
  type LiteralKind,
  liftLiterals,
} from './literals.ts';
export {
  characterIndex,
  loadParser,
  type ParsedStatement,
  parseStatements,
  type StatementKind,
  statementKind,
} from './parser.ts';
