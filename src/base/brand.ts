declare const brand: unique symbol;

/** A number that must not mix with others, `Brand<'PageNumber'>`. It is a plain number at run time. */
export type Brand<Name extends string> = number & { readonly [brand]: Name };
