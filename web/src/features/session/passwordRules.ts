/** How many of lower case, upper case, digits and others occur, as the service counts them. */
export function classesIn(password: string): number {
  const letters = [...password]
  const others = letters.some((letter) => !/[\p{Ll}\p{Lu}\p{Nd}]/u.test(letter))
  return [/\p{Ll}/u.test(password), /\p{Lu}/u.test(password), /\p{Nd}/u.test(password), others].filter(Boolean).length
}
