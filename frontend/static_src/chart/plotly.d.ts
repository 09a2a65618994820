declare module "plotly.js-basic-dist-min" {
  const Plotly: {
    react(place: HTMLElement, data: unknown, layout: unknown, config: unknown): Promise<void>;
  };
  export default Plotly;
}
