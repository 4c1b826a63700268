void model_predict(const float image[MODEL_PIXELS], float probabilities[MODEL_CLASSES])
{
    double powers[MODEL_CLASSES], sum = 0.0;
    float logits[MODEL_CLASSES], largest;
    model_logits(image, logits);
    largest = logits[0];
    for (int i = 1; i < MODEL_CLASSES; i++)
        largest = logits[i] > largest ? logits[i] : largest;
    for (int i = 0; i < MODEL_CLASSES; i++)
        sum += powers[i] = exponential(logits[i] - largest);
    for (int i = 0; i < MODEL_CLASSES; i++)
        probabilities[i] = (float)(powers[i] / sum);
}
