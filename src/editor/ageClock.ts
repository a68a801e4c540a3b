/** Ages that are shown go on: what shows some is drawn again each minute, while somebody can see it. Nobody is asked for it. */
const ageMs = 60_000;

export function redrawAges(isShown: () => boolean, redraw: () => void): { readonly dispose: () => void } {
  const clock = setInterval(() => {
    if (isShown()) redraw();
  }, ageMs);
  return {
    dispose: () => {
      clearInterval(clock);
    },
  };
}
